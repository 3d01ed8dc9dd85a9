export type { FrameDecoderOptions } from "./codec/frame-decoder.js";
export { FrameDecoder } from "./codec/frame-decoder.js";
export { FrameEncoder } from "./codec/frame-encoder.js";
export type {
  BeatFrame,
  CancelFrame,
  ChallengeFrame,
  ConnectionRole,
  DrainFrame,
  Frame,
  FrameType,
  HelloFrame,
  PeersFrame,
  PredictFrame,
  ProofFrame,
  RecycleFrame,
  RejectFrame,
  RejectReason,
  ResultFrame,
  ResultItem,
  WelcomeFrame,
} from "./codec/frames.js";
export type { ServerTls } from "./transport/address-server.js";
export type { BatchHandler } from "./transport/batch-server.js";
export type { ConnectReplicaOptions, ReplicaConnection } from "./transport/connect-replica.js";
export { connectReplica } from "./transport/connect-replica.js";
export type { ClientTls } from "./transport/dial.js";
export type {
  ListenForReplicasOptions,
  RejectedEvent,
  ReplicaListener,
} from "./transport/listen-for-replicas.js";
export { listenForReplicas } from "./transport/listen-for-replicas.js";
export type { MemoryLinkPair, MemoryLinkPairOptions } from "./transport/memory-link-pair.js";
export { createMemoryLinkPair } from "./transport/memory-link-pair.js";
export type { ReplicaBatch, ReplicaSession, ReplicaSessionEvents } from "./transport/replica-session.js";
