import type { Attempt, AttemptErrorKind, InputType, Payload } from "@clipper-serving/spec";
import type { FRAME_TYPE, ROLES } from "./wire-format.js";

/*
 * One interface per frame type of docs/architecture/wire.md, under the names of `spec` where it has them.
 * Times are µs. Texts longer than the wire allows are cut when they are encoded.
 */

export type FrameType = keyof typeof FRAME_TYPE;
export type ConnectionRole = (typeof ROLES)[number];

/** A receiver may meet reasons of later versions. */
export type RejectReason = "protocol" | "version" | "authentication" | "identity" | "limit" | "draining";

interface FrameHead<Type extends FrameType> {
  readonly type: Type;
  /** Chosen by the sender of the request; an answer repeats it. Below 2⁵³. */
  readonly id: number;
  /** Whether a receiver that does not know the type may skip the frame. */
  readonly mayIgnore: boolean;
}

export interface HelloFrame extends FrameHead<"HELLO"> {
  readonly versionMin: number;
  readonly versionMax: number;
  readonly role: ConnectionRole;
  readonly model: string;
  readonly version: string;
  readonly inputType: InputType;
  readonly replicaId: string;
  /** 32 hex digits. */
  readonly incarnation: string;
  readonly bundleDigest: string;
  readonly features: number;
  readonly maxBatchSize: number;
}

export interface ChallengeFrame extends FrameHead<"CHALLENGE"> {
  readonly nonce: Uint8Array;
}

export interface ProofFrame extends FrameHead<"PROOF"> {
  readonly proof: Uint8Array;
}

export interface WelcomeFrame extends FrameHead<"WELCOME"> {
  readonly version: number;
  readonly epoch: number;
  readonly maxFrameBytes: number;
}

export interface RejectFrame extends FrameHead<"REJECT"> {
  readonly reason: RejectReason | (string & {});
  readonly text: string;
}

export interface BeatFrame extends FrameHead<"BEAT"> {
  readonly ageMicros: number;
  readonly queueDepth: number;
}

export interface CancelFrame extends FrameHead<"CANCEL"> {
  readonly ids: readonly number[];
}

export interface PeersFrame extends FrameHead<"PEERS"> {
  readonly addresses: readonly string[];
}

export interface DrainFrame extends FrameHead<"DRAIN"> {
  readonly text: string;
}

export interface RecycleFrame extends FrameHead<"RECYCLE"> {
  readonly text: string;
}

export interface PredictFrame extends FrameHead<"PREDICT"> {
  readonly items: readonly Attempt[];
}

export type ResultItem =
  | { readonly id: number; readonly status: "ok" | "chunk"; readonly output: Payload }
  | {
      readonly id: number;
      readonly status: "error";
      readonly kind: AttemptErrorKind;
      readonly message: string;
    };

export interface ResultFrame extends FrameHead<"RESULT"> {
  readonly queueMicros: number;
  readonly serviceMicros: number;
  readonly batchSize: number;
  readonly items: readonly ResultItem[];
}

export type Frame =
  | HelloFrame
  | ChallengeFrame
  | ProofFrame
  | WelcomeFrame
  | RejectFrame
  | BeatFrame
  | FrameHead<"PING">
  | FrameHead<"PONG">
  | CancelFrame
  | PeersFrame
  | DrainFrame
  | RecycleFrame
  | PredictFrame
  | ResultFrame;
