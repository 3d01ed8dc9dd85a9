import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "@clipper-serving/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dialAsReplica, Listening } from "../test-support/listening.ts";
import { RawPeer } from "../test-support/raw-peer.ts";
import { until } from "../test-support/until.ts";
import {
  type ListenForReplicasOptions,
  listenForReplicas,
  type ReplicaListener,
} from "./listen-for-replicas.js";

let directory: string;
const open: ReplicaListener[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "rpc-"));
});

afterEach(async () => {
  for (const listener of open.splice(0)) await listener.close();
  await rm(directory, { recursive: true, force: true });
});

async function listen(options: Partial<ListenForReplicasOptions>): Promise<ReplicaListener> {
  const listener = await listenForReplicas({
    addresses: [],
    secret: Buffer.from("secret"),
    clock: new ManualClock(),
    epoch: 1,
    onLink: () => {},
    ...options,
  });
  open.push(listener);
  return listener;
}

describe("listenForReplicas", () => {
  it("listens on several addresses at once and tells the ports", async () => {
    const socket = `unix:${join(directory, "a.sock")}`;
    const { addresses } = await listen({ addresses: [socket, "tcp:127.0.0.1:0", "tcp:localhost:0"] });
    expect(addresses[0]).toBe(socket);
    expect(addresses[1]).toMatch(/^tcp:127\.0\.0\.1:[1-9]\d+$/);
    expect(addresses).toHaveLength(3);
  });

  it("takes over the socket file of a process that was killed", async () => {
    const path = join(directory, "a.sock");
    const program = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.stdout.write("on"))`;
    const killed = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
    await once(killed.stdout, "data");
    killed.kill("SIGKILL");
    await once(killed, "exit");
    expect((await stat(path)).isSocket()).toBe(true);
    await listen({ addresses: [`unix:${path}`] });
    const peer = await RawPeer.connect(`unix:${path}`);
    peer.destroy();
  });

  it("leaves the socket of a process that answers alone", async () => {
    const address = `unix:${join(directory, "a.sock")}`;
    await listen({ addresses: [address] });
    await expect(listen({ addresses: [address] })).rejects.toMatchObject({ code: "ADDRESS_TAKEN" });
    const peer = await RawPeer.connect(address);
    peer.destroy();
  });

  it("leaves a file that is no socket alone", async () => {
    const path = join(directory, "a.sock");
    await writeFile(path, "mine");
    await expect(listen({ addresses: [`unix:${path}`] })).rejects.toMatchObject({ code: "ADDRESS_TAKEN" });
  });

  it("removes its socket file when it closes", async () => {
    const path = join(directory, "a.sock");
    const listener = await listen({ addresses: [`unix:${path}`] });
    await listener.close();
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
    await listener.close();
  });

  it("refuses a socket path over 100 bytes", async () => {
    const address = `unix:${join(directory, "x".repeat(100))}`;
    await expect(listen({ addresses: [address] })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("refuses a socket in a directory that others may enter, and one that is not there", async () => {
    await chmod(directory, 0o755);
    for (const path of [join(directory, "a.sock"), join(directory, "absent", "a.sock")]) {
      await expect(listen({ addresses: [`unix:${path}`] })).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
      });
    }
  });

  it.each([
    ["an address it does not know", { addresses: ["http://x"] }],
    ["TCP without a secret", { addresses: ["tcp:127.0.0.1:0"], secret: new Uint8Array() }],
    ["TLS without a certificate", { addresses: ["tls:127.0.0.1:0"] }],
    ["another machine's address", { addresses: ["tcp:192.0.2.1:0"] }],
  ])("refuses %s", async (_, options) => {
    await expect(listen(options)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("closes what it had opened when a later address cannot be", async () => {
    const path = join(directory, "a.sock");
    await expect(listen({ addresses: [`unix:${path}`, "tcp:192.0.2.1:0"] })).rejects.toThrow();
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("announces peers to replicas that are connected, and to those that come later", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const { address, listener } = listening;
    const early = await dialAsReplica({ address, clock });
    await until(clock, () => listening.links.length === 1);
    listener.announcePeers([address, "tcp:10.0.0.2:7000"]);
    await until(clock, () => early.peers.length === 1);
    const late = await dialAsReplica({ address, clock, identity: { replicaId: "r-2" } });
    await until(clock, () => late.peers.length === 1);
    expect([early.peers, late.peers]).toEqual([
      [[address, "tcp:10.0.0.2:7000"]],
      [[address, "tcp:10.0.0.2:7000"]],
    ]);
    early.vanish();
    late.vanish();
  });

  it("closes its links when it closes", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const replica = await dialAsReplica({ address: listening.address, clock });
    await until(clock, () => listening.links.length === 1);
    await listening.listener.close();
    await until(clock, () => replica.isClosed);
  });
});
