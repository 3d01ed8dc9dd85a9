import {
  ClipperError,
  ConflictError,
  DeployError,
  InvalidArgumentError,
  ManagerError,
  NotFoundError,
  RefusedError,
  TimeoutError,
  UnreachableError,
  VersionExistsError,
} from "@clipper-serving/core";
import { describe, expect, it } from "vitest";
import { exitCodeOf } from "./exit-code.js";

const deployError = (code: string) =>
  new DeployError({ code, step: "ready", model: "m", version: "1", message: "" });

describe("exitCodeOf", () => {
  it.each<[unknown, number]>([
    [new Error("plain"), 1],
    [deployError("PREFLIGHT_FAILED"), 1],
    [deployError("INVALID_SAMPLE"), 2],
    [new ManagerError({ manager: "docker", code: "ENGINE_UNREACHABLE", message: "" }), 6],
    [new ManagerError({ manager: "docker", code: "ENGINE_REFUSED", message: "", facts: { status: 400 } }), 1],
    [new ClipperError({ code: "STORE_UNAVAILABLE", message: "", facts: { status: 503 } }), 6],
    [new InvalidArgumentError({ argument: "a", value: 1, expected: "2" }), 2],
    [new ClipperError({ code: "BAD_JSON", message: "", facts: { status: 400 } }), 2],
    [new NotFoundError({ kind: "application", name: "a" }), 3],
    [new ConflictError({ message: "" }), 4],
    [new VersionExistsError({ model: "m", version: "1", deployedDigest: "a", newDigest: "b" }), 4],
    [new TimeoutError({ what: "it", timeoutMs: 1 }), 5],
    [deployError("REPLICA_NOT_READY"), 5],
    [new UnreachableError({ what: "it" }), 6],
    [new RefusedError({ message: "" }), 7],
    [new ClipperError({ code: "SERVER_FAILED", message: "", facts: { status: 500 } }), 1],
  ])("case %#", (error, code) => {
    expect(exitCodeOf(error)).toBe(code);
  });
});
