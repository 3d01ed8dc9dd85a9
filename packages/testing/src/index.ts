export type { FakeReplicaOptions } from "./fakes.js";
export { FakeReplica, textOf, textPayload } from "./fakes.js";
export { ManualClock } from "./manual-clock.js";
