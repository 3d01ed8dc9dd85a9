import { UnreachableError } from "@clipper-serving/spec";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { linkModel, registerApplication } from "./application-operations.js";
import { beginOperation } from "./begin-operation.js";
import { ManagementClient } from "./management-client.js";
import { OperationLease } from "./operation-lease.js";
import { ManagementProcess } from "./test-support/management-process.js";

const TARGET = { model: "m", version: "1" };

// Starts programs: on a machine with much else to do that takes its time.
describe("while management is killed and started again", { timeout: 60_000 }, () => {
  let management: ManagementProcess;
  let client: ManagementClient;

  beforeEach(async () => {
    management = await ManagementProcess.start();
    client = management.client(ManagementClient);
  });

  afterEach(() => management[Symbol.asyncDispose]());

  /** Does it with management gone, which comes back meanwhile. */
  async function overRestart<Result>(work: () => Promise<Result>): Promise<Result> {
    await management.kill();
    const [result] = await Promise.all([work(), management.start()]);
    return result;
  }

  it("an operation is begun, renewed, switched and told as current", async () => {
    const deploy = { kind: "deploy", target: TARGET, contentDigest: "sha256:1" } as const;
    const { operation, renewEveryMs } = await overRestart(() => beginOperation(client, deploy));
    await using lease = new OperationLease({ management: client, operation: operation!, renewEveryMs });
    await overRestart(() => lease.enter("ready"));
    const version = { version: "1", inputType: "doubles", contentDigest: "sha256:1" } as const;
    await overRestart(() => client.switchOperation(operation!.id, version, lease.signal));
    const model = await overRestart(() => client.model("m", lease.signal));
    expect(model?.currentVersion).toBe("1");
  });

  it("an application is registered and linked", async () => {
    await client.registerVersion("m", { version: "1", inputType: "doubles" });
    const cluster = management.cluster(client);
    await overRestart(() => registerApplication(cluster, { name: "a", inputType: "doubles" }, {}));
    await overRestart(() => linkModel(cluster, { app: "a", model: "m" }, {}));
    expect((await client.application("a"))?.routes).toHaveLength(1);
  });

  it("an application whose answers are lost is registered and linked once", async () => {
    await client.registerVersion("m", { version: "1", inputType: "doubles" });
    const lost = async <Answer>(answer: Promise<Answer>): Promise<Answer> => {
      await answer;
      throw new UnreachableError({ what: "the answer" });
    };
    class Unheard extends ManagementClient {
      override async createApplication(...args: Parameters<ManagementClient["createApplication"]>) {
        return lost(super.createApplication(...args));
      }
      override async putRoutes(...args: Parameters<ManagementClient["putRoutes"]>) {
        return lost(super.putRoutes(...args));
      }
    }
    const cluster = management.cluster(management.client(Unheard));
    await registerApplication(cluster, { name: "a", inputType: "doubles" }, {});
    await linkModel(cluster, { app: "a", model: "m" }, {});
    expect((await client.application("a"))?.routes).toMatchObject([{ model: "m" }]);
  });
});
