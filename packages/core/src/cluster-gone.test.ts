import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { whyGone } from "./cluster-gone.js";
import { ClusterHome } from "./cluster-home.js";

it("a cluster that was stopped or purged is gone, and one that should run is not", async () => {
  const scratch = await mkdtemp(path.join(tmpdir(), "clipper-gone-"));
  try {
    const home = new ClusterHome(scratch, "c");
    const why = () => whyGone({ cluster: { name: "c" }, home });
    const file = { formatVersion: 1, name: "c", settings: {} } as const;
    await home.writeFile({ ...file, wanted: "running" });
    expect(await why()).toBeUndefined();
    await home.writeFile({ ...file, wanted: "stopped" });
    expect(await why()).toMatchObject({ code: "CLUSTER_STOPPED" });
    await home.purge();
    expect(await why()).toMatchObject({ code: "NOT_FOUND" });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
});
