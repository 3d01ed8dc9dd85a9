import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Address, Clock, ReplicaIdentity, ReplicaLink } from "@clipper-serving/spec";
import { parseAddress } from "@clipper-serving/spec";
import { MAX_FRAME_LENGTH } from "../codec/wire-format.js";
import { type ClientTls, dial } from "../transport/dial.js";
import type { FrameConnection } from "../transport/frame-connection.js";
import { introduce } from "../transport/introduce.js";
import {
  type ListenForReplicasOptions,
  listenForReplicas,
  type RejectedEvent,
  type ReplicaListener,
} from "../transport/listen-for-replicas.js";
import { ReplicaSession } from "../transport/replica-session.js";
import { identityFor, RecordingReplica } from "./recording-replica.ts";

export const SECRET = Buffer.from("the cluster's secret");

/** A listener with all it told, and a directory of its own. */
export class Listening implements AsyncDisposable {
  readonly links: ReplicaLink[] = [];
  readonly rejected: RejectedEvent[] = [];
  readonly #directory: string;
  #listener: ReplicaListener | undefined;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** @param options.addresses `unix:` alone stands for a socket in the directory */
  static async on(
    address: string,
    clock: Clock,
    options: Partial<ListenForReplicasOptions> = {},
  ): Promise<Listening> {
    const directory = await mkdtemp(join(tmpdir(), "rpc-"));
    const listening = new Listening(directory);
    listening.#listener = await listenForReplicas({
      addresses: [address === "unix:" ? `unix:${join(directory, "rpc.sock")}` : address],
      secret: SECRET,
      clock,
      epoch: 3,
      onLink: (link) => listening.links.push(link),
      onRejected: (event) => listening.rejected.push(event),
      ...options,
    });
    return listening;
  }

  get listener(): ReplicaListener {
    return this.#listener!;
  }

  get address(): string {
    return this.listener.addresses[0]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener?.close();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

export interface DialledOptions {
  readonly address: string;
  readonly clock: Clock;
  readonly identity?: Partial<ReplicaIdentity>;
  readonly secret?: Uint8Array;
  readonly tls?: ClientTls;
}

/** One connection, introduced. */
export async function dialOne(role: "data" | "control", options: DialledOptions): Promise<FrameConnection> {
  const address = parseAddress(options.address) as Address;
  const { clock } = options;
  return introduce({
    pipe: await dial(address, { clock, tls: options.tls }),
    clock,
    identity: identityFor(options.identity),
    role,
    secret: options.secret ?? SECRET,
    maxFrameBytes: MAX_FRAME_LENGTH,
    maxUnsentBytes: 2 * MAX_FRAME_LENGTH,
  });
}

/** A replica that has dialled, introduced itself, and does only what it is told to. */
export async function dialAsReplica(options: DialledOptions): Promise<RecordingReplica> {
  const [data, control] = await Promise.all([dialOne("data", options), dialOne("control", options)]);
  const replica = new RecordingReplica();
  const session = new ReplicaSession({ data, control });
  session.listen(replica.events);
  replica.play(session);
  return replica;
}
