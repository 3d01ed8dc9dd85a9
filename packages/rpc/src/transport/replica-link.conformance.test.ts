import { ManualClock } from "@clipper-serving/testing";
import { type ReplicaLinkFixture, replicaLinkSuite } from "@clipper-serving/testing/replica-link";
import { describe, it } from "vitest";
import { selfSignedCertificate } from "../test-support/certificate.ts";
import { dialAsReplica, Listening } from "../test-support/listening.ts";
import { identityFor, RecordingReplica } from "../test-support/recording-replica.ts";
import { until } from "../test-support/until.ts";
import type { ListenForReplicasOptions } from "./listen-for-replicas.js";
import { createMemoryLinkPair } from "./memory-link-pair.js";

const runner = { describe, it };
const certificate = selfSignedCertificate();

async function overSocket(
  address: string,
  options: Partial<ListenForReplicasOptions> = {},
): Promise<ReplicaLinkFixture> {
  const clock = new ManualClock();
  const listening = await Listening.on(address, clock, options);
  const replica = await dialAsReplica({
    address: listening.address,
    clock,
    tls: { ca: certificate.cert },
  });
  await until(clock, () => listening.links.length === 1);
  return {
    link: listening.links[0]!,
    replica,
    identity: identityFor(),
    turn: () => clock.settle(),
    pass: (micros) => clock.advanceAsync(micros),
    [Symbol.asyncDispose]: async () => {
      replica.vanish();
      await listening[Symbol.asyncDispose]();
    },
  };
}

async function inMemory(latencyMicros: number): Promise<ReplicaLinkFixture> {
  const clock = new ManualClock();
  const replica = new RecordingReplica();
  const pair = createMemoryLinkPair({
    clock,
    identity: identityFor(),
    replica: replica.events,
    latencyMicros,
  });
  replica.play(pair.replica);
  return {
    link: pair.link,
    replica,
    identity: identityFor(),
    turn: async () => {
      await clock.settle();
      clock.advance(latencyMicros);
    },
    pass: (micros) => clock.advanceAsync(micros),
    [Symbol.asyncDispose]: async () => replica.vanish(),
  };
}

replicaLinkSuite({ runner, name: "a unix socket", create: () => overSocket("unix:") });
replicaLinkSuite({ runner, name: "TCP with a secret", create: () => overSocket("tcp:127.0.0.1:0") });
replicaLinkSuite({
  runner,
  name: "TLS",
  create: () => overSocket("tls:127.0.0.1:0", { tls: certificate }),
});
replicaLinkSuite({ runner, name: "memory", create: () => inMemory(0) });
replicaLinkSuite({ runner, name: "memory with latency", create: () => inMemory(250) });
