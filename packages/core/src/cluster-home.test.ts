import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { InvalidNameError, RefusedError } from "@clipper-serving/spec";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ClusterHome, defaultHome } from "./cluster-home.js";

describe("ClusterHome", () => {
  let home: string;

  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), "clipper-home-"));
  });

  afterEach(async () => {
    await rm(home, { recursive: true, force: true });
  });

  it("makes secrets once, for their owner's eyes, and the same for whoever asks at the same time", async () => {
    const [one, two] = await Promise.all([
      new ClusterHome(home, "a").ensureSecrets(),
      new ClusterHome(home, "a").ensureSecrets(),
    ]);
    expect(one).toEqual(two);
    expect(one.token.byteLength).toBe(64);
    expect(Buffer.from(one.token)).not.toEqual(Buffer.from(one.rpc));
    const { mode } = await stat(path.join(home, "clusters/a/secrets/token"));
    expect(mode & 0o777).toBe(0o600);
  });

  it("refuses secrets that others may read", async () => {
    const cluster = new ClusterHome(home, "a");
    await cluster.ensureSecrets();
    await chmod(path.join(home, "clusters/a/secrets/token"), 0o644);
    await expect(cluster.readSecrets()).rejects.toSatisfy(RefusedError.isInstance.bind(RefusedError));
  });

  it("never shows a secret that is half written, and refuses one that was cut off", async () => {
    const directory = path.join(home, "clusters/a/secrets");
    await mkdir(directory, { recursive: true });
    let isDone = false;
    const making = new ClusterHome(home, "a").ensureSecrets().finally(() => {
      isDone = true;
    });
    while (!isDone) {
      const token = await readFile(path.join(directory, "token")).catch(() => undefined);
      expect(token?.byteLength ?? 64).toBe(64);
    }
    await making;
    expect((await readdir(directory)).sort()).toEqual(["rpc", "token"]);
    await writeFile(path.join(directory, "rpc"), "");
    await expect(new ClusterHome(home, "a").ensureSecrets()).rejects.toMatchObject({
      code: "SECRET_INVALID",
    });
  });

  it.each(["null", "[]", "{}", '{"formatVersion": 2}', "{"])(
    "refuses a cluster file that reads %s",
    async (text) => {
      await mkdir(path.join(home, "clusters/a"), { recursive: true });
      await writeFile(path.join(home, "clusters/a/cluster.json"), text);
      await expect(new ClusterHome(home, "a").readFile()).rejects.toMatchObject({
        code: "CLUSTER_FILE_INVALID",
      });
    },
  );

  it("says what to do where the home cannot be used", async () => {
    await writeFile(path.join(home, "file"), "");
    const unusable = new ClusterHome(path.join(home, "file"), "a");
    const file = { formatVersion: 1, name: "a", settings: {}, wanted: "running" } as const;
    for (const use of [
      () => unusable.readFile(),
      () => unusable.writeFile(file),
      () => unusable.ensureSecrets(),
    ]) {
      await expect(use()).rejects.toMatchObject({
        code: "HOME_UNUSABLE",
        hint: expect.stringContaining("CLIPPER_HOME"),
      });
    }
  });

  it("remembers a cluster, lists it, and forgets it wholly", async () => {
    const cluster = new ClusterHome(home, "a");
    const file = { formatVersion: 1, name: "a", settings: {}, wanted: "running" } as const;
    await cluster.writeFile(file);
    await cluster.ensureSecrets();
    expect(await cluster.readFile()).toEqual(file);
    expect(await ClusterHome.list(home)).toEqual(["a"]);
    await cluster.purge();
    expect(await ClusterHome.list(home)).toEqual([]);
    expect(await readdir(path.join(home, "clusters"))).toEqual([]);
  });

  it("refuses a name that would leave its directory", () => {
    expect(() => new ClusterHome(home, "../x")).toThrow(InvalidNameError);
  });

  it("lies where CLIPPER_HOME says, else in the XDG state directory", () => {
    expect(defaultHome({ CLIPPER_HOME: "/srv/clipper" })).toBe("/srv/clipper");
    expect(defaultHome({ XDG_STATE_HOME: "/state" })).toBe("/state/clipper");
  });
});
