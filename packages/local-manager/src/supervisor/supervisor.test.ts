import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { LocalContainerManager } from "../local-container-manager.js";
import { isAlive, type ProcessIdentity, processIdentity } from "../process-identity.js";
import { buildPackage } from "../test-support/build.js";
import { LocalCluster, until } from "../test-support/local-cluster.js";
import { SocketNames } from "./socket-names.js";

beforeAll(buildPackage, 60_000);

/** Runs on although its supervisor has gone, and writes the pid of a child of its own. */
const STUBBORN = `
const child = require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => 0, 1000)"], { stdio: "inherit" });
console.log("child " + child.pid);
process.on("SIGTERM", () => {});
setInterval(() => 0, 1000);`;

/** Starts a process in a group of its own, with the same output. */
const RUNAWAY = `
const child = require("node:child_process").spawn(
  process.execPath,
  ["-e", "setInterval(() => console.log('still here'), 20)"],
  { stdio: ["ignore", "inherit", "inherit"], detached: true },
);
console.log("child " + child.pid);
setInterval(() => 0, 1000);`;

function identity(pid: number | undefined): ProcessIdentity {
  return processIdentity(pid!)!;
}

function supervisorsOf(cluster: LocalCluster): string[] {
  const processes = execFileSync("ps", ["-axo", "pid=,args="], { encoding: "utf8" }).split("\n");
  return processes.filter(
    (line) => line.includes(cluster.options.home) && line.includes("supervisor/main.js"),
  );
}

/** Longer than anything here waits, so that a test that fails still removes what it started. */
const TIMEOUT = { timeout: 60_000 };

describe.concurrent("a supervisor that is killed", TIMEOUT, () => {
  it("takes its instances with it within 5 s, and the next gives them the same names and addresses", async () => {
    await using cluster = new LocalCluster();
    const before = await cluster.run({ instances: 2 });
    const outside = { id: "outside", ports: [{ name: "http", port: 0, outside: true }] };
    const [other] = await cluster.run(outside);
    const addresses = [...(await cluster.addresses()), ...(await cluster.addresses("outside"))];
    const running = [...before, other!].map(({ pid }) => identity(pid));
    await cluster.killSupervisor();
    await until(async () => !running.some(isAlive), 5_000);

    const listed = await cluster.manager.list(cluster);
    expect(listed.map(({ wanted }) => wanted).sort()).toEqual([1, 2]);
    for (const { instances } of listed) {
      for (const instance of instances) expect(instance).toMatchObject({ state: "exited", reason: /apply/ });
    }
    expect(await cluster.addresses()).toEqual([]);
    const after = await cluster.run({ instances: 2 });
    await cluster.run(outside);
    expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    expect([...(await cluster.addresses()), ...(await cluster.addresses("outside"))]).toEqual(addresses);
  });

  it("leaves nothing that the next one does not end before it starts anything", async () => {
    await using cluster = new LocalCluster();
    const spec = { command: [process.execPath, "-e", STUBBORN], ready: "running", ports: [] } as const;
    const [first] = await cluster.run(spec);
    const child = await until(async () => /^child (\d+)$/m.exec((await cluster.texts()).join("\n"))?.[1]);
    const left = [identity(first!.pid), identity(Number(child))];
    await cluster.killSupervisor();
    expect(left.every(isAlive)).toBe(true);
    const [second] = await cluster.run(spec);
    expect(left.some(isAlive)).toBe(false);
    expect(second!.pid).not.toBe(first!.pid);
  });

  it("does not keep the next from removing everything", async () => {
    await using cluster = new LocalCluster();
    await cluster.run();
    await cluster.killSupervisor();
    await cluster.manager.remove(cluster, "all", { volumes: true });
    expect(readdirSync(cluster.root)).toEqual(["home"]);
    expect(readdirSync(cluster.options.home)).toEqual([]);
  });
});

describe.concurrent("a supervisor", TIMEOUT, () => {
  it("is one, however many begin at once", async () => {
    await using cluster = new LocalCluster();
    const managers = Array.from({ length: 6 }, () => new LocalContainerManager(cluster.options));
    await Promise.all(
      managers.map((manager, index) => manager.apply(cluster, cluster.spec({ id: `w${index}` }))),
    );
    expect(await cluster.manager.list(cluster)).toHaveLength(6);
    await until(async () => supervisorsOf(cluster).length === 1);
    const one = cluster.supervisor;
    await Promise.all(managers.map((manager) => manager.list(cluster)));
    expect(cluster.supervisor).toEqual(one);
  });

  it("ends itself with the last workload and leaves no process, socket or directory", async () => {
    await using cluster = new LocalCluster();
    await cluster.run({ secretFiles: { token: Buffer.from("x") } });
    const supervisor = cluster.supervisor!;
    await cluster.manager.remove(cluster, "all");
    expect(isAlive(supervisor)).toBe(false);
    expect(readdirSync(cluster.root)).toEqual(["home"]);
    expect(readdirSync(cluster.paths.directory).sort()).toEqual(["logs", "supervisor.log"]);
    await cluster.manager.remove(cluster, "all", { volumes: true });
    expect(readdirSync(cluster.options.home)).toEqual([]);
  });

  it("ends itself after a first apply that was refused", async () => {
    await using cluster = new LocalCluster();
    const ports = [{ name: "http", port: 0, outside: true, pinned: 1_337 }];
    await expect(cluster.manager.apply(cluster, cluster.spec({ instances: 2, ports }))).rejects.toMatchObject(
      {
        code: "UNSUPPORTED",
      },
    );
    await until(async () => !existsSync(cluster.paths.directory));
  });

  it("ends itself and its instances when its directory is removed", async () => {
    await using cluster = new LocalCluster();
    const [instance] = await cluster.run();
    const running = [identity(instance!.pid), cluster.supervisor!];
    rmSync(cluster.paths.directory, { recursive: true });
    await until(async () => !running.some(isAlive));
  });

  it("ends its instances by their grace when it is asked to end", async () => {
    await using cluster = new LocalCluster();
    const [instance] = await cluster.run();
    const running = [identity(instance!.pid), cluster.supervisor!];
    process.kill(cluster.supervisor!.pid, "SIGTERM");
    await until(async () => !running.some(isAlive));
    expect(await cluster.texts()).toContain("got SIGTERM");
    expect(await cluster.instances()).toMatchObject([{ state: "exited" }]);
  });

  it("tells who begins to listen to look again: what came before went unheard", async () => {
    await using cluster = new LocalCluster();
    await cluster.run();
    const stop = new AbortController();
    const hint = cluster.manager.changes(cluster, { signal: stop.signal })[Symbol.asyncIterator]().next();
    expect(await Promise.race([hint, until(async () => false, 5_000)])).toMatchObject({ done: false });
    stop.abort();
  });

  it("ends itself when its sockets are removed, and the next brings back what was there", async () => {
    await using cluster = new LocalCluster();
    const [instance] = await cluster.run();
    const running = [identity(instance!.pid), cluster.supervisor!];
    rmSync(cluster.paths.runtime, { recursive: true });
    await until(async () => !running.some(isAlive));
    expect((await cluster.manager.list(cluster)).map(({ id }) => id)).toEqual(["tiny"]);
    expect(await cluster.run()).toMatchObject([{ id: instance!.id, state: "ready" }]);
  });

  it("goes on when what runs cannot be written down, and starts nothing more until it can", async () => {
    await using cluster = new LocalCluster();
    const [before] = await cluster.run();
    const { supervisor } = cluster;
    // As on a full disk, for these two.
    const obstacles = ["tiny", "other"].map((id) => join(cluster.paths.workloads, `${id}.json.new`));
    for (const path of obstacles) mkdirSync(path);
    process.kill(before!.pid!, "SIGKILL");
    const after = await until(async () =>
      (await cluster.instances()).find(({ restarts, state }) => restarts === 1 && state === "ready"),
    );
    const refused = { code: "RECORD_NOT_WRITTEN", hint: expect.stringContaining("space") };
    for (const change of [{ instances: 2 }, { id: "other" }]) {
      await expect(cluster.manager.apply(cluster, cluster.spec(change))).rejects.toMatchObject(refused);
    }
    expect(await cluster.manager.list(cluster)).toMatchObject([{ id: "tiny", wanted: 1, instances: [{}] }]);
    expect(existsSync(join(cluster.paths.logs, "other"))).toBe(false);
    expect(cluster.supervisor).toEqual(supervisor);
    for (const path of obstacles) rmdirSync(path);
    await until(async () => {
      const record = readFileSync(join(cluster.paths.workloads, "tiny.json"), "utf8");
      return record.includes(`"pid":${after.pid},`);
    });
  });

  it("goes on when an address cannot be given, and gives it once it can", async () => {
    await using cluster = new LocalCluster();
    await cluster.run({ id: "other", ports: [], ready: "running" });
    const { supervisor } = cluster;
    const obstacle = `${new SocketNames(cluster.paths.sockets).ofPlace("tiny", 0, "http")}+`;
    mkdirSync(obstacle);
    await cluster.run();
    const [address] = await cluster.addresses();
    expect(existsSync(address!.slice("unix:".length))).toBe(false);
    expect(cluster.supervisor).toEqual(supervisor);
    rmdirSync(obstacle);
    await until(async () => existsSync(address!.slice("unix:".length)));
  });

  it("keeps what it knows from other users", async () => {
    await using cluster = new LocalCluster();
    await cluster.run({
      secretFiles: { token: Buffer.from("x") },
      volume: { name: "state", mountPath: "/data" },
    });
    const entries = [cluster.paths.runtimeRoot, cluster.paths.directory].flatMap((directory) =>
      readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() || entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name)),
    );
    const isOpen = (path: string): boolean => (statSync(path).mode & 0o077) !== 0;
    const directories = [
      cluster.paths.runtime,
      cluster.paths.sockets,
      cluster.paths.secrets,
      cluster.paths.directory,
    ];
    expect(directories.filter(isOpen)).toEqual([]);
    expect(
      entries.filter((path) => path.endsWith("/token") || path.endsWith(".json")).filter(isOpen),
    ).toEqual([]);
  });

  it("writes no secret to the home", async () => {
    await using cluster = new LocalCluster();
    await cluster.run({ secretFiles: { token: Buffer.from("a-secret-to-look-for") } });
    const files = readdirSync(cluster.options.home, { recursive: true, withFileTypes: true }).filter((e) =>
      e.isFile(),
    );
    const texts = files.map((file) => readFileSync(join(file.parentPath, file.name), "latin1"));
    expect(texts.length).toBeGreaterThan(2);
    for (const text of texts) {
      expect(text).not.toContain("a-secret-to-look-for");
      expect(text).not.toContain(Buffer.from("a-secret-to-look-for").toString("base64"));
    }
  });

  it("gets over files that an earlier one, or something else, left", async () => {
    await using cluster = new LocalCluster();
    for (const directory of [cluster.paths.workloads, cluster.paths.sockets])
      mkdirSync(directory, { recursive: true });
    writeFileSync(cluster.paths.lock, "");
    writeFileSync(join(cluster.paths.sockets, "supervisor.sock"), "");
    writeFileSync(join(cluster.paths.workloads, "broken.json"), '{"formatVersion":1');
    const stale = {
      formatVersion: 1,
      pid: process.pid,
      startTime: "long ago",
      address: "unix:/nowhere",
      token: "t",
    };
    writeFileSync(cluster.paths.supervisor, JSON.stringify(stale));
    for (const directory of ["sockets", "logs"] as const)
      mkdirSync(join(cluster.paths[directory], "a directory", "of", "theirs"), { recursive: true });
    for (const directory of ["logs", "workloads"] as const)
      writeFileSync(join(cluster.paths[directory], "half.json.new"), "{");
    await cluster.run();
    expect((await cluster.manager.list(cluster)).map(({ id }) => id)).toEqual(["tiny"]);
    expect(readFileSync(join(cluster.paths.directory, "unreadable"), "utf8")).toBe('{"formatVersion":1');
    await cluster.manager.remove(cluster, "all", { volumes: true });
    expect(readdirSync(cluster.options.home)).toEqual([]);
  });
});

describe.concurrent("an instance", TIMEOUT, () => {
  it("takes the processes it started along when it is removed", async () => {
    await using cluster = new LocalCluster();
    const command = [process.execPath, "-e", STUBBORN];
    const [instance] = await cluster.run({ command, ready: "running", ports: [], graceMs: 100 });
    const child = await until(async () => /^child (\d+)$/m.exec((await cluster.texts()).join("\n"))?.[1]);
    const family = [identity(instance!.pid), identity(Number(child))];
    await cluster.manager.remove(cluster, "tiny");
    await until(async () => !family.some(isAlive));
  });

  it("is not heard of again once it is removed, whatever got away from it", async () => {
    await using cluster = new LocalCluster();
    await cluster.run({
      command: [process.execPath, "-e", RUNAWAY],
      ready: "running",
      ports: [],
    });
    const pid = await until(async () => /^child (\d+)$/m.exec((await cluster.texts()).join("\n"))?.[1]);
    const runaway = identity(Number(pid));
    await until(async () => (await cluster.texts()).includes("still here"));
    // Another keeps the supervisor there.
    await cluster.run({ id: "other", ports: [], ready: "running" });
    await cluster.manager.remove(cluster, "tiny");
    // Nobody reads what it writes: that ends it.
    await until(async () => !isAlive(runaway));
  });

  it("can be read the log of when it is gone, until that is purged", async () => {
    await using cluster = new LocalCluster();
    await cluster.run();
    await cluster.manager.remove(cluster, "all");
    expect(await cluster.texts()).toEqual(["started version 1", "got SIGTERM"]);
    await cluster.manager.remove(cluster, "all", { volumes: true });
    expect(await cluster.texts()).toEqual([]);
  });

  it("that somebody else killed says so, and that memory may have run out", async () => {
    await using cluster = new LocalCluster();
    const [instance] = await cluster.run();
    process.kill(instance!.pid!, "SIGKILL");
    const told = await until(async () =>
      (await cluster.instances()).find(({ exitCode }) => exitCode === 137),
    );
    expect(told).toMatchObject({ id: instance!.id, exitCode: 137 });
    const reason = await until(async () => {
      // The reason is told until it runs again, which may be over before the first look.
      const { reason: why, restarts } = (await cluster.instances())[0]!;
      return restarts > 0 ? "runs again" : why;
    });
    expect(reason).toMatch(/SIGKILL, not sent by its manager|runs again/);
  });

  it("comes back at its port after its workload was at 0, pinned or not, however soon", async () => {
    await using cluster = new LocalCluster();
    const free = { ports: [{ name: "http", port: 0, outside: true }] };
    await cluster.run(free);
    const addresses = await cluster.addresses();
    await cluster.manager.apply(cluster, cluster.spec({ ...free, instances: 0 }));
    await cluster.run(free);
    expect(await cluster.addresses()).toEqual(addresses);
    const pinned = Number(addresses[0]!.split(":").at(-1));
    const fixed = { ports: [{ name: "http", port: 0, outside: true, pinned }] };
    await cluster.run(fixed);
    await cluster.manager.apply(cluster, cluster.spec({ ...fixed, instances: 0 }));
    await cluster.run(fixed);
    expect(await cluster.addresses()).toEqual(addresses);
  });

  it("listens on loopback TCP where the runtime directory is too long for sockets", async () => {
    await using cluster = new LocalCluster({ runtimeDirectory: "r".repeat(100) });
    await cluster.run();
    const [address] = await cluster.addresses();
    expect(address).toMatch(/^tcp:127\.0\.0\.1:\d+$/);
    await cluster.run({ env: { TINY_VERSION: "2" } });
    expect(await cluster.addresses()).toEqual([address]);
  });
});
