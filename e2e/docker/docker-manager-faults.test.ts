import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DockerContainerManager } from "@clipper-serving/docker-manager";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engineAbsence } from "../environment/engines.ts";
import { tinyHttpImage } from "./docker-manager-program.ts";
import { docker, TestCluster } from "./docker-manager-support.ts";

const absence = engineAbsence("docker");
const SECRET = randomBytes(24).toString("hex");
const RUN_FROM_SCRATCH = "cp /bin/true /tmp/program; /tmp/program 2>&1 && echo it runs || true";

describe.skipIf(absence)(`what befalls containers${absence === undefined ? "" : ` (${absence})`}`, () => {
  const manager = new DockerContainerManager();
  let image: string;
  beforeAll(() => {
    image = tinyHttpImage().ref;
  });
  afterAll(() => manager[Symbol.asyncDispose]());
  const newCluster = () => new TestCluster(manager, image);

  it("an instance has as little as it needs, and its secrets are for its eyes only", async () => {
    await using cluster = newCluster();
    await cluster.run({
      secretFiles: { token: Buffer.from(SECRET) },
      volume: { name: "state", mountPath: "/var/lib/clipper/state" },
      resources: { memoryBytes: 256 * 2 ** 20, cpus: 0.5, scratch: { bytes: 2 ** 20 } },
      overlay: { extraHosts: { box: "10.9.8.7" }, labels: { team: "a" } },
    });
    const [name] = cluster.containers();
    const shell = (command: string) => docker("exec", name!, "sh", "-c", command);
    expect(shell("id -u; id -g")).toBe("65532\n65532");
    expect(shell("touch /srv/x 2>&1 || true")).toContain("Read-only file system");
    expect(shell("touch /run/clipper/secrets/x 2>&1 || true")).toContain("Read-only file system");
    expect(shell("touch /tmp/x /var/lib/clipper/state/x && df -k /tmp | tail -1")).toMatch(/tmpfs\s+1024\s/);
    expect(shell(RUN_FROM_SCRATCH)).toContain("Permission denied");
    expect(shell("grep -E '^(CapEff|NoNewPrivs)' /proc/1/status")).toMatch(
      /^CapEff:\s+0000000000000000\nNoNewPrivs:\s+1$/,
    );
    expect(shell("stat -c '%a %u' /run/clipper/secrets /run/clipper/secrets/token")).toBe(
      "500 65532\n400 65532",
    );
    expect(shell("cat /run/clipper/secrets/token")).toBe(SECRET);
    expect(shell("getent hosts box")).toContain("10.9.8.7");

    const text = docker("inspect", name!);
    for (const shape of [SECRET, Buffer.from(SECRET).toString("base64")]) expect(text).not.toContain(shape);
    const [inspected] = JSON.parse(text) as [{ HostConfig: object; Config: { Labels: object } }];
    expect(inspected.HostConfig).toMatchObject({
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      Privileged: false,
      PidsLimit: 4_096,
      Memory: 256 * 2 ** 20,
      NanoCpus: 5e8,
      RestartPolicy: { Name: "unless-stopped" },
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
    });
    expect(inspected.Config.Labels).toMatchObject({ team: "a", "clipper-serving.cluster": cluster.name });
    const bindings = docker("port", name!);
    expect(bindings).toMatch(/^8080\/tcp -> 127\.0\.0\.1:\d+$/);
  });

  it("what lies in an instance's scratch space can be run where the workload asks for that", async () => {
    await using cluster = newCluster();
    await cluster.run({ resources: { scratch: { executable: true } } });
    expect(docker("exec", cluster.containers()[0]!, "sh", "-c", RUN_FROM_SCRATCH)).toBe("it runs");
  });

  it("what was stopped, killed or removed by hand has exited, and apply puts it back", async () => {
    await using cluster = newCluster();
    const { instances } = await cluster.run({ secretFiles: { token: Buffer.from(SECRET) } });
    for (const words of [["stop"], ["kill"], ["rm", "--force"]]) {
      docker(...words, cluster.containers()[0]!);
      const { reason } = await cluster.until(`told after ${words[0]}`, ({ state }) => state === "exited");
      expect(reason).toMatch(/by hand|not by its manager/);
      const again = await cluster.run({ secretFiles: { token: Buffer.from(SECRET) } });
      expect(again.instances[0]?.id).toBe(instances[0]?.id);
    }
    const { secrets } = await cluster.ask("/whoami");
    expect(Object.keys(secrets as object)).toEqual(["token"]);
  });

  it("what is paused is not ready, and is again when it goes on", async () => {
    await using cluster = newCluster();
    await cluster.run();
    const [name] = cluster.containers();
    docker("pause", name!);
    const { reason } = await cluster.until("told", ({ state }) => state === "running");
    expect(reason).toContain("paused");
    docker("unpause", name!);
    await cluster.settled();
  });

  it("what needs more memory than it may have is ended, started again, and told", async () => {
    await using cluster = newCluster();
    const eat = "const all = []; setInterval(() => all.push(Buffer.alloc(16 << 20, 1)), 1)";
    await cluster.manager.apply(
      cluster,
      cluster.spec({
        command: ["node", "-e", eat],
        ports: [],
        ready: "running",
        resources: { memoryBytes: 128 * 2 ** 20 },
      }),
    );
    const told = await cluster.until("told", ({ oomKilled, restarts }) => oomKilled === true && restarts > 0);
    expect(told.exitCode).toBe(137);
    const { reason } = await cluster.until("told why", ({ state }) => state === "failed");
    expect(reason).toContain("memory");
  });

  it("a port that a container holds is refused by that container's name, and nothing is left", async () => {
    await using cluster = newCluster();
    const holder = `holder-${cluster.name}`;
    docker("network", "create", holder);
    const served = ["--name", holder, "--network", holder, "--publish", "127.0.0.1::8080", image];
    docker("run", "--detach", "--rm", ...served, "node", "main.mjs");
    try {
      const pinned = Number(docker("port", holder, "8080").split(":").at(-1));
      const ports = [{ name: "http", port: 8080, outside: true, pinned }];
      await expect(manager.apply(cluster, cluster.spec({ ports }))).rejects.toMatchObject({
        code: "PORT_TAKEN",
        facts: { port: pinned, holder: `container ${holder}` },
      });
      expect(cluster.containers()).toEqual([]);
      expect((await manager.clusters()).some(({ name }) => name === cluster.name)).toBe(false);
    } finally {
      docker("rm", "--force", holder);
      docker("network", "rm", holder);
    }
  });

  it("an image that is nowhere is refused by its name, and nothing is left", async () => {
    await using cluster = newCluster();
    await using offline = new DockerContainerManager({ pull: "never" });
    const program = { kind: "image", ref: "clipper-test/no-such:1" } as const;
    await expect(offline.apply(cluster, cluster.spec({ program }))).rejects.toMatchObject({
      code: "IMAGE_NOT_FOUND",
      message: expect.stringContaining("clipper-test/no-such:1"),
    });
    expect(await manager.list(cluster)).toEqual([]);
    expect(cluster.containers()).toEqual([]);
  });

  it("records that were pruned are read from the containers", async () => {
    await using cluster = newCluster();
    const before = await cluster.run({ labels: { any: "é=/" } });
    const filter = ["--filter", `label=clipper-serving.cluster=${cluster.name}`];
    docker("volume", "prune", "--force", ...filter);
    expect(docker("volume", "ls", "--quiet", ...filter)).toBe("");
    expect(await cluster.status()).toEqual(before);
    await manager.apply(cluster, cluster.spec({ labels: { any: "é=/" } }));
    expect(await cluster.settled()).toEqual(before);
    const changed = await cluster.run({ env: { TINY_VERSION: "2" } });
    expect(changed.instances[0]?.id).not.toBe(before.instances[0]?.id);
  });

  it("a network that was removed by hand is made again", async () => {
    await using cluster = newCluster();
    await cluster.run();
    docker("rm", "--force", ...cluster.containers());
    docker("network", "prune", "--force", "--filter", `label=clipper-serving.cluster=${cluster.name}`);
    await cluster.run();
    expect(await cluster.ask("/whoami")).toMatchObject({ version: "1" });
  });

  it("what was stopped by hand and lost its network is put back on a new one", async () => {
    await using cluster = newCluster();
    await cluster.run({ instances: 2 });
    docker("stop", "--time", "1", ...cluster.containers());
    docker("network", "prune", "--force", "--filter", `label=clipper-serving.cluster=${cluster.name}`);
    await cluster.run({ instances: 2 });
    expect(await cluster.ask("/whoami")).toMatchObject({ version: "1" });
    expect(cluster.containers()).toHaveLength(2);
  });

  it("a change whose process ends in the middle is carried on by whoever lists next", async () => {
    await using cluster = newCluster();
    const old = await cluster.run();
    const other = new DockerContainerManager();
    await other.apply(cluster, cluster.spec({ env: { TINY_VERSION: "2" } }));
    await other[Symbol.asyncDispose]();
    const changed = await cluster.settled();
    expect(changed.instances[0]?.id).not.toBe(old.instances[0]?.id);
    expect(await cluster.ask("/whoami")).toMatchObject({ version: "2" });
    expect(cluster.containers()).toHaveLength(1);
  });

  it("an apply that is cut off anywhere leaves what was, and the next one what is wanted", async () => {
    await using cluster = newCluster();
    const first = cluster.spec({
      secretFiles: { token: Buffer.from(SECRET) },
      volume: { name: "state", mountPath: "/data" },
    });
    const second = { ...first, env: { TINY_VERSION: "2" } };
    for (const [spec, before] of [
      [first, undefined],
      [second, first],
    ] as const) {
      let isDone = false;
      for (let requests = 0; !isDone; requests += 1) {
        if (before !== undefined) await cluster.run(before);
        await using line = await CutLine.open(requests);
        const cut = new DockerContainerManager({ host: `unix://${line.socket}` });
        isDone = await cut.apply(cluster, spec).then(
          () => true,
          () => false,
        );
        await cut[Symbol.asyncDispose]();
        const seen = await manager.list(cluster);
        expect(seen.length).toBeLessThanOrEqual(1);
        await manager.apply(cluster, spec);
        await cluster.settled();
        expect(cluster.containers(), `cut off after ${requests} changes`).toHaveLength(1);
        const { secrets, version } = await cluster.ask("/whoami");
        expect(Object.keys(secrets as object)).toEqual(["token"]);
        expect(version).toBe(spec === first ? "1" : "2");
        if (before === undefined) await manager.remove(cluster, "all", { volumes: true });
      }
    }
  });
});

/** A line to the engine that is cut off for good before a request that would change something: as if its user were killed there. */
class CutLine implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), "cut-"));
  readonly socket: string = join(this.directory, "s");
  readonly #server = createServer();

  static async open(requests: number): Promise<CutLine> {
    const line = new CutLine();
    let left = requests;
    line.#server.on("connection", (client) => {
      const engine = connect("/var/run/docker.sock");
      const end = () => {
        client.destroy();
        engine.destroy();
      };
      for (const socket of [client, engine]) socket.on("error", end).on("close", end);
      engine.pipe(client);
      client.on("data", (bytes) => {
        if (/^(PUT|POST|DELETE) /.test(bytes.toString("latin1", 0, 10))) left -= 1;
        if (left < 0) end();
        else engine.write(bytes);
      });
    });
    await new Promise<void>((resolve) => line.#server.listen(line.socket, resolve));
    return line;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.directory, { recursive: true });
  }
}
