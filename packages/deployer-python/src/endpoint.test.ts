import {
  ConflictError,
  type DeployTarget,
  InvalidArgumentError,
  type LinkRequest,
  type RegisterApplicationRequest,
  type RegisteredApplication,
} from "@clipper-serving/spec";
import { beforeEach, describe, expect, it } from "vitest";
import { type EndpointModel, withApplication } from "./endpoint.js";

const MODEL: EndpointModel = { model: "m", inputType: "doubles", app: "a" };
const RESULT = { model: "m", version: "1", unchanged: false, replicas: 1 };

describe("withApplication", () => {
  let application: RegisteredApplication | undefined;
  let calls: string[];

  beforeEach(() => {
    application = undefined;
    calls = [];
  });

  const registered = (linkedModels: readonly string[]): RegisteredApplication => ({
    name: "a",
    inputType: "doubles",
    defaultOutput: "None",
    sloMs: 3_000,
    linkedModels,
  });

  const target = {
    getApplication: async () => application,
    registerApplication: async ({ name, model }: RegisterApplicationRequest) => {
      calls.push(`register ${name} for ${model}`);
      if (application !== undefined) throw new ConflictError({ code: "APPLICATION_EXISTS", message: "" });
      application = registered(model === undefined ? [] : [model]);
    },
    linkModelToApp: async ({ model }: LinkRequest) => {
      calls.push(`link ${model}`);
      if (application?.linkedModels.length) throw new ConflictError({ code: "ALREADY_LINKED", message: "" });
      application = registered([model]);
    },
  } as unknown as DeployTarget;

  const deploying = (meanwhile: () => void = () => {}) =>
    withApplication(target, MODEL, {}, async () => {
      calls.push("deploy");
      meanwhile();
      return RESULT;
    });

  it("deploys, then registers the application linked, so that a link that is refused leaves no application", async () => {
    expect(await deploying()).toBe(RESULT);
    expect(calls).toEqual(["deploy", "register a for m"]);
  });

  it("does not mind that another deploy registered the application meanwhile", async () => {
    await deploying(() => {
      application = registered([]);
    });
    expect(calls).toEqual(["deploy", "link m"]);
  });

  it("does not mind that another deploy registers and links it at the same moment", async () => {
    const racing = {
      ...target,
      registerApplication: async () => {
        application = registered(["m"]);
        throw new ConflictError({ code: "APPLICATION_EXISTS", message: "" });
      },
    } as unknown as DeployTarget;
    await expect(withApplication(racing, MODEL, {}, async () => RESULT)).resolves.toBe(RESULT);
  });

  it("refuses an application that was linked to another model meanwhile", async () => {
    const outcome = deploying(() => {
      application = registered(["other"]);
    });
    await expect(outcome).rejects.toMatchObject({ code: "ALREADY_LINKED" });
  });

  it.each([0, -1, Number.NaN, 1e12])("refuses an objective of %d ms before it deploys", async (sloMs) => {
    const outcome = withApplication(target, { ...MODEL, sloMs }, {}, async () => {
      calls.push("deploy");
      return RESULT;
    });
    await expect(outcome).rejects.toSatisfy((error) => InvalidArgumentError.isInstance(error));
    expect(calls).toEqual([]);
  });
});
