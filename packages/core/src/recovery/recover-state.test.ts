import {
  EPOCH_LABEL,
  type HeldSnapshot,
  ROLE_LABEL,
  type StateSnapshot,
  type WorkloadStatus,
} from "@clipper-serving/spec";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { QUERY } from "../composition.js";
import { ManagementClient } from "../management-client.js";
import { ManagementProcess } from "../test-support/management-process.js";
import { type RecoverOptions, recoverState } from "./recover-state.js";

const FRONTEND = "query-frontend-0";
const LOST: StateSnapshot = {
  head: { epoch: "lost", revision: 7, hash: "7" },
  records: [
    { kind: "model", key: "m", value: { name: "m", inputType: "doubles", currentVersion: "1" }, revision: 7 },
  ],
};

// Starts programs: on a machine with much else to do that takes its time.
describe("recoverState, of a store that is empty", { timeout: 60_000 }, () => {
  let management: ManagementProcess;

  beforeEach(async () => {
    management = await ManagementProcess.start();
  });

  afterEach(() => management[Symbol.asyncDispose]());

  /** One query frontend runs, and what else is given. */
  function recover(
    client: ManagementClient,
    { replicas = [], ...options }: Partial<RecoverOptions> & { replicas?: readonly unknown[] } = {},
  ) {
    const frontend = { id: QUERY.id, labels: {}, instances: [{ id: FRONTEND, state: "ready" }] };
    const list = async () => [frontend, ...replicas] as unknown as readonly WorkloadStatus[];
    const manager = { list } as unknown as RecoverOptions["manager"];
    const cluster = { name: "tests" };
    const settings = { manager, cluster, knownEpoch: "lost", acceptLoss: false, ...options };
    return recoverState({ ...settings, management: client });
  }

  it("restores what the frontends gave, although management is killed once they had", async () => {
    class Killing extends ManagementClient {
      #view: Promise<unknown> = Promise.resolve();

      override cluster(signal?: AbortSignal) {
        const view = super.cluster(signal);
        this.#view = view;
        return view;
      }

      override async snapshots(signal?: AbortSignal): Promise<readonly HeldSnapshot[]> {
        const held = await super.snapshots(signal);
        await this.#view;
        await management.kill();
        await management.start();
        return held;
      }
    }
    await management.report(FRONTEND, LOST);
    const { restored } = await recover(management.client(Killing));
    expect(restored).toMatchObject({ from: { frontends: [FRONTEND], head: LOST.head } });
    expect(await management.client(ManagementClient).models()).toMatchObject([{ name: "m" }]);
  });

  it("gives up what a frontend could not give, once that is accepted", async () => {
    await management.report(FRONTEND, { head: LOST.head });
    const client = management.client(ManagementClient);
    const left = { id: "replica-1", labels: { [ROLE_LABEL]: "replica", [EPOCH_LABEL]: "other" } };
    const options = { knownEpoch: undefined, replicas: [left], gatherTimeoutMs: 0 };
    await expect(recover(client, options)).rejects.toMatchObject({ code: "STATE_LOST" });
    await recover(client, { ...options, acceptLoss: true });
    const { origin } = await client.cluster();
    expect(origin?.succeeds.map(({ epoch }) => epoch).sort()).toEqual(["lost", "other"]);
  });

  it("begins anew, once that is accepted, where what the frontends hold cannot be restored", async () => {
    const records = [{ kind: "application", key: "a", value: { name: "a" }, revision: 1 }];
    await management.report(FRONTEND, { head: LOST.head, records });
    const client = management.client(ManagementClient);
    await expect(recover(client)).rejects.toMatchObject({ facts: { status: 400 } });
    const { restored } = await recover(client, { acceptLoss: true });
    expect(restored).toBeUndefined();
    expect((await client.cluster()).origin).toMatchObject({ succeeds: [{ epoch: "lost" }] });
  });
});
