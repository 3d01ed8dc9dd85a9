import { describe, expect, it, vi } from "vitest";
import {
  ClipperError,
  ConflictError,
  NotFoundError,
  UnconnectedError,
  VersionExistsError,
} from "../index.js";

describe("ClipperError", () => {
  it("carries a code, facts, a hint and the cause", () => {
    const cause = new Error("below");
    const error = new ClipperError({
      code: "X",
      message: "it broke",
      hint: "mend it",
      facts: { part: 1 },
      cause,
    });
    expect(error).toMatchObject({
      name: "ClipperError",
      code: "X",
      message: "it broke",
      hint: "mend it",
      facts: { part: 1 },
    });
    expect(error.cause).toBe(cause);
  });

  it("recognises a class and its subclasses, and nothing else", () => {
    const error = new VersionExistsError({ model: "m", version: "1", deployedDigest: "a", newDigest: "b" });
    expect(ClipperError.isInstance(error)).toBe(true);
    expect(ConflictError.isInstance(error)).toBe(true);
    expect(VersionExistsError.isInstance(error)).toBe(true);
    expect(NotFoundError.isInstance(error)).toBe(false);
    expect(ClipperError.isInstance(new Error("plain"))).toBe(false);
    expect(ClipperError.isInstance(undefined)).toBe(false);
  });

  it("recognises an error made by another copy of the package", async () => {
    vi.resetModules();
    const copy = await import("../index.js");
    const error = new copy.UnconnectedError({ operation: "predict" });
    expect(error).not.toBeInstanceOf(UnconnectedError);
    expect(UnconnectedError.isInstance(error)).toBe(true);
    expect(NotFoundError.isInstance(error)).toBe(false);
  });

  it("becomes plain data without the stack or the cause", () => {
    const error = new NotFoundError({ kind: "application", name: "digits", cause: new Error("secret") });
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: "NotFoundError",
      code: "NOT_FOUND",
      message: 'there is no application "digits"',
      facts: { kind: "application", name: "digits" },
    });
  });
});
