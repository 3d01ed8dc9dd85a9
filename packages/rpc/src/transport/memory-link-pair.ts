import type { Clock, ReplicaIdentity, ReplicaLink } from "@clipper-serving/spec";
import { MAX_FRAME_LENGTH } from "../codec/wire-format.js";
import type { BytePipe } from "./byte-pipe.js";
import { ControlChannel } from "./control-channel.js";
import { FrameConnection } from "./frame-connection.js";
import { FrontendLink } from "./frontend-link.js";
import { createMemoryPipes, type MemoryPipeOptions } from "./memory-pipe.js";
import { ReplicaSession, type ReplicaSessionEvents } from "./replica-session.js";

export interface MemoryLinkPairOptions extends MemoryPipeOptions {
  readonly clock: Clock;
  readonly identity: ReplicaIdentity;
  /** What the replica's end does with what it is sent. */
  readonly replica: ReplicaSessionEvents;
}

/** The two ends of a link in one process. */
export interface MemoryLinkPair {
  readonly link: ReplicaLink;
  /** It beats only when it is told to: a link that hears nothing for 3 s closes. */
  readonly replica: ReplicaSession;
}

/**
 * The in-memory twin of a replica that has connected: the same frames through the same codec, without handshake and sockets.
 * Everything happens in the clock's time, so that the same calls have the same history.
 */
export function createMemoryLinkPair(options: MemoryLinkPairOptions): MemoryLinkPair {
  const { clock, identity } = options;
  const [frontendData, replicaData] = createMemoryPipes(options);
  const [frontendControl, replicaControl] = createMemoryPipes(options);
  const connect = (pipe: BytePipe): FrameConnection =>
    new FrameConnection(
      { pipe, clock, maxFrameBytes: MAX_FRAME_LENGTH, maxUnsentBytes: 2 * MAX_FRAME_LENGTH },
      { frame: () => {}, closed: () => {} },
    );
  const link = new FrontendLink({
    identity,
    data: connect(frontendData),
    control: new ControlChannel(connect(frontendControl), clock, () => {}),
    clock,
  });
  const replica = new ReplicaSession({ data: connect(replicaData), control: connect(replicaControl) });
  replica.listen(options.replica);
  return { link, replica };
}
