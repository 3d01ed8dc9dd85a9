import { ConflictError, type DeployTarget } from "@clipper-serving/spec";
import { describe, expect, it } from "vitest";
import { type FailedDeploy, forgetBundle } from "./forget-bundle.js";

const FAILED: FailedDeploy = {
  version: { model: "m", version: "1" },
  digest: "bundle",
  contentDigest: "content",
  wasKept: false,
  error: new RangeError("failed"),
};

describe("forgetBundle", () => {
  async function removed(failed: Partial<FailedDeploy>, registered?: string): Promise<string[]> {
    const gone: string[] = [];
    const target = {
      getVersion: async () => (registered === undefined ? undefined : { contentDigest: registered }),
      bundles: {
        remove: async (digest: string) => {
          gone.push(digest);
        },
      },
    } as unknown as DeployTarget;
    await forgetBundle(target, { ...FAILED, ...failed });
    return gone;
  }

  it("removes what only the failed deploy had put there", async () => {
    expect(await removed({})).toEqual(["bundle"]);
    expect(await removed({}, "other content")).toEqual(["bundle"]);
  });

  it("leaves the bundle of a registered version", async () => {
    expect(await removed({}, "content")).toEqual([]);
  });

  it("leaves what another deploy of the same content had put there, or is starting replicas from", async () => {
    expect(await removed({ wasKept: true })).toEqual([]);
    expect(await removed({ error: new ConflictError({ code: "OPERATION_RUNNING", message: "" }) })).toEqual(
      [],
    );
  });
});
