/** The supervisor of one cluster: `node main.js '{"home": …, "runtimeDirectory": …, "cluster": …}'`. Started by the client, detached. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { formatAddress } from "@clipper-serving/spec";
import { clusterPaths } from "../cluster-paths.js";
import { writeJsonFile } from "../json-file.js";
import { processIdentity } from "../process-identity.js";
import {
  EXIT_OTHER_SUPERVISOR,
  fromWireSpec,
  type SupervisorCalls,
  type SupervisorFile,
  type SupervisorMethod,
} from "../protocol.js";
import { type Call, CallServer } from "./call-server.js";
import { ClusterLock } from "./cluster-lock.js";
import { keepFresh } from "./keep-fresh.js";
import { makePrivateDirectory } from "./private-directory.js";
import { report } from "./report.js";
import { SocketNames } from "./socket-names.js";
import { Supervisor } from "./supervisor.js";
import { removeTraces } from "./traces.js";

/** A supervisor that nobody calls and that has nothing to look after ends itself after this long. */
const UNUSED_MS = 10_000;
const LOOK_MS = 1_000;

interface Arguments {
  readonly home: string;
  readonly runtimeDirectory: string;
  readonly cluster: string;
}

async function main({ cluster, ...options }: Arguments): Promise<void> {
  const paths = clusterPaths(options, cluster);
  mkdirSync(paths.directory, { recursive: true, mode: 0o700 });
  const lock = ClusterLock.take(paths.lock);
  if (lock === undefined) process.exit(EXIT_OTHER_SUPERVISOR);
  makePrivateDirectory(paths.runtimeRoot);
  makePrivateDirectory(paths.runtime);

  const supervisor = new Supervisor({ cluster, paths });
  await supervisor.start();
  const token = randomBytes(24).toString("base64url");
  const end = (): never => {
    lock.release();
    process.exit(0);
  };
  const calls = new CallServer({
    token,
    handle: (call) => answer(supervisor, call),
    isOver: () => supervisor.isEmpty,
    onOver: () => removeTraces(paths),
    end,
  });
  const usesSocket = new SocketNames(paths.sockets).areShortEnough;
  const socket = join(paths.sockets, "supervisor.sock");
  calls.server.listen(usesSocket ? socket : { host: "127.0.0.1", port: 0 });
  await once(calls.server, "listening");
  const { pid, startTime } = processIdentity(process.pid)!;
  const address = addressOf(calls.server.address()!);
  writeJsonFile(paths.supervisor, {
    formatVersion: 1,
    pid,
    startTime,
    address,
    token,
  } satisfies SupervisorFile);

  keepFresh(paths.runtime);
  const stop = async (): Promise<void> => {
    calls.server.close();
    await supervisor.stop();
    removeTraces(paths);
    end();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void stop());
  const looking = setInterval(() => {
    // Without its directory nobody can find it any more, and another may already be in its place.
    if (!lock.isEffective) void supervisor.stop().then(() => process.exit(0));
    // A runtime directory is removed when its user logs out: neither it nor its instances can be reached again.
    else if (!existsSync(usesSocket ? socket : paths.runtime)) void stop();
    else return;
    clearInterval(looking);
  }, LOOK_MS);
  setTimeout(() => {
    if (supervisor.isEmpty) void stop();
  }, UNUSED_MS).unref();
}

function answer(supervisor: Supervisor, { method, params, signal, item }: Call): Promise<unknown> {
  const handlers: { [Method in SupervisorMethod]: (given: never) => Promise<unknown> } = {
    apply: ({ spec }: SupervisorCalls["apply"]["params"]) => supervisor.apply(fromWireSpec(spec)),
    remove: ({ id, volumes }: SupervisorCalls["remove"]["params"]) => supervisor.remove(id, { volumes }),
    list: async () => supervisor.list(),
    reach: async ({ id, port }: SupervisorCalls["reach"]["params"]) => supervisor.reach(id, port),
    changes: () => tellChanges(supervisor, signal, item),
  };
  return handlers[method](params as never);
}

/** Several changes at once are one item. */
async function tellChanges(supervisor: Supervisor, signal: AbortSignal, item: () => void): Promise<void> {
  let isTold = true;
  const onChange = (): void => {
    if (!isTold) return;
    isTold = false;
    setImmediate(() => {
      isTold = true;
      item();
    });
  };
  supervisor.on("change", onChange);
  // Between the caller's last look and now there may have been some.
  item();
  if (!signal.aborted) await once(signal, "abort");
  supervisor.off("change", onChange);
}

function addressOf(bound: AddressInfo | string): string {
  return typeof bound === "string"
    ? formatAddress({ kind: "unix", path: bound })
    : formatAddress({ kind: "tcp", host: "127.0.0.1", port: bound.port });
}

main(JSON.parse(process.argv[2] ?? "") as Arguments).catch((error: unknown) => {
  report(error);
  process.exit(1);
});
