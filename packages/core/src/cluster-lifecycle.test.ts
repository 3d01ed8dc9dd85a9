import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type ContainerManager, ManagerError, PortTakenError } from "@clipper-serving/spec";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ClusterHome } from "./cluster-home.js";
import { putBackMissing, startCluster, stopCluster } from "./cluster-lifecycle.js";
import { resolveClusterSettings } from "./cluster-settings.js";

describe("a cluster's life", () => {
  let scratch: string;
  let home: ClusterHome;

  beforeEach(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), "clipper-life-"));
    home = new ClusterHome(scratch, "c");
  });

  afterEach(async () => {
    await rm(scratch, { recursive: true, force: true });
  });

  const parts = (manager: Partial<ContainerManager>) => ({
    manager: manager as ContainerManager,
    cluster: { name: "c" },
    home,
    origin: undefined,
  });

  it("is not started by another manager than the one that runs or keeps it", async () => {
    const file = {
      formatVersion: 1,
      name: "c",
      manager: { module: "file:///m.js", options: {}, name: "one" },
      settings: {},
      wanted: "stopped",
    } as const;
    await home.writeFile(file);
    const starting = startCluster(parts({ name: "other" }), resolveClusterSettings({}));
    await expect(starting).rejects.toMatchObject({ code: "OTHER_MANAGER", facts: { manager: "one" } });
    expect(await home.readFile()).toEqual(file);
    expect(await readdir(home.directory)).toEqual(["cluster.json"]);
  });

  it("is not put back when somebody has stopped it meanwhile", async () => {
    const file = { formatVersion: 1, name: "c", settings: {}, wanted: "stopped" } as const;
    await home.writeFile(file);
    const applied: string[] = [];
    const manager = {
      capabilities: { program: "directory" } as ContainerManager["capabilities"],
      apply: async (_cluster: unknown, { id }: { readonly id: string }) => void applied.push(id),
      list: async () => [],
    };
    await expect(putBackMissing(parts(manager), {})).rejects.toMatchObject({ code: "CLUSTER_STOPPED" });
    expect(await home.readFile()).toEqual(file);
    expect(applied).toEqual([]);
  });

  it("has lost nothing when its purge is cut off half-way", async () => {
    const file = { formatVersion: 1, name: "c", settings: {}, wanted: "running", epoch: "e" } as const;
    await home.writeFile(file);
    const away = new ManagerError({ manager: "m", code: "AWAY", message: "the platform is away" });
    const manager = {
      remove: async () => {
        throw away;
      },
    };
    await expect(stopCluster(parts(manager), { purge: false })).rejects.toBe(away);
    expect(await home.readFile()).toMatchObject({ wanted: "stopped", epoch: "e" });
    await expect(stopCluster(parts(manager), { purge: true })).rejects.toBe(away);
    expect(await home.readFile()).toEqual({ formatVersion: 1, name: "c", settings: {}, wanted: "stopped" });
  });

  it("ends with what somebody was still starting when it was stopped", async () => {
    const running = new Set(["management-frontend"]);
    let isDeploying = true;
    await stopCluster(
      {
        ...parts({
          async remove(_cluster, id) {
            if (id !== "all") return;
            running.clear();
            if (isDeploying) running.add("replica");
            isDeploying = false;
          },
          list: async () => [...running].map((id) => ({ id }) as never),
        }),
      },
      { purge: false },
    );
    expect([...running]).toEqual([]);
  });

  describe("when its start fails", () => {
    const refused = new PortTakenError({ manager: "fake", port: 1 });
    /** Runs what it is given, and refuses the query frontend. */
    const refusing = (running: Set<string>, error: Error = refused): Partial<ContainerManager> => ({
      name: "fake",
      capabilities: { program: "directory" } as ContainerManager["capabilities"],
      async apply(_cluster, { id }) {
        if (id === "query-frontend") throw error;
        running.add(id);
      },
      async remove() {
        running.clear();
      },
      reach: async () => ({ addresses: ["http://127.0.0.1:1"], [Symbol.asyncDispose]: async () => {} }),
      list: async () => [...running].map((id) => ({ id, instances: [{ state: "ready" }] }) as never),
    });

    it("leaves nothing of a new one", async () => {
      const running = new Set<string>();
      const starting = startCluster(parts(refusing(running)), resolveClusterSettings({}));
      await expect(starting).rejects.toBe(refused);
      expect([...running]).toEqual([]);
      expect(await ClusterHome.list(scratch)).toEqual([]);
    });

    it("keeps what the next start may finish", async () => {
      const running = new Set<string>();
      const busy = new ManagerError({ manager: "fake", code: "BUSY", message: "try again" });
      const starting = startCluster(parts(refusing(running, busy)), resolveClusterSettings({}));
      await expect(starting).rejects.toBe(busy);
      expect([...running]).toEqual(["management-frontend"]);
      expect(await home.readFile()).toMatchObject({ wanted: "running" });
    });

    it("leaves nothing of a new one of which the platform took nothing", async () => {
      const full = new ManagerError({ manager: "fake", code: "FULL", message: "no room" });
      const manager = { ...refusing(new Set()), apply: () => Promise.reject(full) };
      await expect(startCluster(parts(manager), resolveClusterSettings({}))).rejects.toBe(full);
      expect(await ClusterHome.list(scratch)).toEqual([]);
    });

    it.each([
      ["stopped", []],
      ["running", ["management-frontend"]],
    ] as const)("leaves one that was %s so, with what it remembers", async (wanted, left) => {
      await home.writeFile({ formatVersion: 1, name: "c", settings: {}, wanted });
      await home.ensureSecrets();
      const running = new Set<string>();
      const starting = startCluster(parts(refusing(running)), resolveClusterSettings({}));
      await expect(starting).rejects.toBe(refused);
      expect([...running]).toEqual(left);
      expect(await home.readFile()).toMatchObject({ wanted });
      expect(await home.readSecrets()).toBeDefined();
    });

    it("remembers none that the platform cannot run", async () => {
      const manager: Partial<ContainerManager> = {
        name: "fake",
        capabilities: { program: "image" } as ContainerManager["capabilities"],
        facts: () => Promise.reject(refused),
        remove: () => Promise.reject(refused),
      };
      await expect(startCluster(parts(manager), resolveClusterSettings({}))).rejects.toBe(refused);
      expect(await ClusterHome.list(scratch)).toEqual([]);
    });
  });
});
