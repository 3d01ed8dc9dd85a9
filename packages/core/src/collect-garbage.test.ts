import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  type ContainerManager,
  EPOCH_LABEL,
  type ProgressEvent,
  ROLE_LABEL,
  type WorkloadStatus,
} from "@clipper-serving/spec";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { collectGarbage } from "./collect-garbage.js";
import { DirectoryBundleStore } from "./directory-bundle-store.js";
import { ManagementClient } from "./management-client.js";
import { ManagementProcess } from "./test-support/management-process.js";

// Starts a program: on a machine with much else to do that takes its time.
describe("what no version needs", { timeout: 60_000 }, () => {
  let scratch: string;
  let bundles: DirectoryBundleStore;
  let management: ManagementProcess;
  let client: ManagementClient;
  let running: readonly Pick<WorkloadStatus, "id" | "labels">[];

  beforeEach(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), "clipper-garbage-"));
    bundles = new DirectoryBundleStore(path.join(scratch, "bundles"));
    management = await ManagementProcess.start();
    client = management.client(ManagementClient);
    running = [];
  });

  afterEach(async () => {
    await management[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true, force: true });
  });

  async function putBundle(): Promise<void> {
    const directory = path.join(scratch, "bundle");
    await mkdir(directory);
    await writeFile(path.join(directory, "function.pkl"), "f");
    const files = { "function.pkl": createHash("sha256").update("f").digest("hex") };
    await writeFile(
      path.join(directory, "manifest.json"),
      JSON.stringify({ formatVersion: 1, model: "m", version: "1", files }),
    );
    await bundles.put(directory);
    await rm(directory, { recursive: true });
  }

  async function collect(): Promise<readonly ProgressEvent[]> {
    const events: ProgressEvent[] = [];
    const manager = { list: async () => running } as unknown as ContainerManager;
    await collectGarbage(
      { bundles, home: scratch, management: client, manager, ref: { name: "tests" } },
      { onProgress: (event) => events.push(event) },
    );
    return events;
  }

  it("is removed, unless records may be lost that need it", async () => {
    await putBundle();
    expect(await collect()).toMatchObject([{ state: "skipped" }]);

    const expected = (await client.cluster()).head;
    const lost = { head: { epoch: "lost", revision: 1, hash: "" }, records: [] };
    await client.restore({ expected, snapshot: lost, left: ["replica-1"] });
    expect(await collect()).toMatchObject([{ state: "skipped" }]);
    expect(await bundles.list()).toHaveLength(1);

    await client.acceptLoss({ expected: (await client.cluster()).head, epochs: [] });
    expect(await collect()).toMatchObject([{ state: "done", message: expect.stringContaining("1 bundles") }]);
    expect(await bundles.list()).toEqual([]);
  });

  it("is left while replicas run that are of a history the store does not hold, whoever reports", async () => {
    await putBundle();
    await client.registerVersion("other", { version: "1", inputType: "doubles" });
    running = [{ id: "replica-1", labels: { [ROLE_LABEL]: "replica", [EPOCH_LABEL]: "lost" } }];
    expect(await collect()).toMatchObject([{ state: "skipped" }]);
    expect(await bundles.list()).toHaveLength(1);

    await client.acceptLoss({ expected: (await client.cluster()).head, epochs: ["lost"] });
    expect(await collect()).toMatchObject([{ state: "done" }]);
  });
});
