import type { Clock, ReplicaIdentity } from "@clipper-serving/spec";
import { RefusedError, UnreachableError } from "@clipper-serving/spec";
import type { Frame, HelloFrame } from "../codec/frames.js";
import { malformed } from "../codec/malformed.js";
import { RPC_VERSION } from "../codec/wire-format.js";
import { FrameConnection, type FrameConnectionOptions } from "./frame-connection.js";
import { proofOf } from "./proof.js";
import { HELLO_TIMEOUT_MICROS } from "./protocol-times.js";

export interface IntroduceOptions extends FrameConnectionOptions {
  readonly clock: Clock;
  readonly identity: ReplicaIdentity;
  readonly role: "data" | "control";
  readonly secret: Uint8Array | undefined;
}

/**
 * A replica's part of the handshake on one connection.
 * @returns the connection, welcomed
 * @throws RefusedError with the REJECT's `reason` among its facts; UnreachableError when the connection closes instead
 */
export function introduce(options: IntroduceOptions): Promise<FrameConnection> {
  const { clock, identity, role, secret } = options;
  const hello: HelloFrame = {
    ...identity,
    type: "HELLO",
    id: 0,
    mayIgnore: false,
    versionMin: RPC_VERSION,
    versionMax: RPC_VERSION,
    role,
    features: 0,
  };
  return new Promise((resolve, reject) => {
    const receive = (frame: Frame): void => {
      switch (frame.type) {
        case "CHALLENGE": {
          if (secret === undefined) {
            reject(
              refusal("authentication", "the frontend asks for the cluster's secret, and none was given"),
            );
            connection.close("no secret");
            break;
          }
          const proof = proofOf({ secret, nonce: frame.nonce, hello });
          connection.send({ type: "PROOF", id: frame.id, mayIgnore: false, proof });
          break;
        }
        case "WELCOME":
          callOff();
          connection.limitSentFrames(frame.maxFrameBytes);
          // Whoever awaits this takes over in a later turn, and the frontend may go on at once.
          connection.hold();
          resolve(connection);
          break;
        case "REJECT":
          reject(refusal(frame.reason, frame.text));
          connection.close("rejected");
          break;
        default:
          throw malformed(`a frontend sent ${frame.type} during the handshake`);
      }
    };
    const closed = (reason: string): void => {
      callOff();
      // After a resolve or a reject this does nothing.
      reject(new UnreachableError({ what: `the query frontend (${reason})`, address: options.pipe.peer }));
    };
    const connection = new FrameConnection(options, { frame: receive, closed });
    const callOff = clock.after(2 * HELLO_TIMEOUT_MICROS, () => connection.close("no WELCOME in time"));
    connection.send(hello);
  });
}

function refusal(reason: string, text: string): RefusedError {
  return new RefusedError({
    message: `the query frontend rejected the replica for ${reason}: ${text}`,
    facts: { reason, text },
  });
}
