import { describe, expect, it } from "vitest";
import { parseImageReference } from "./image-reference.js";

const digest = `sha256:${"0".repeat(64)}`;

describe("parseImageReference", () => {
  it.each([
    ["python", { repository: "python" }],
    ["python:3.11-slim", { repository: "python", tag: "3.11-slim" }],
    ["team/model:1", { repository: "team/model", tag: "1" }],
    ["localhost/model", { registry: "localhost", repository: "model" }],
    ["127.0.0.1:5000/a/b:1", { registry: "127.0.0.1:5000", repository: "a/b", tag: "1" }],
    ["[::1]:5000/a", { registry: "[::1]:5000", repository: "a" }],
    [`r.example/a:1@${digest}`, { registry: "r.example", repository: "a", tag: "1", digest }],
  ])("takes %s apart", (ref, parts) => {
    expect(parseImageReference(ref)).toEqual(parts);
  });

  it.each([
    "",
    "Upper/case",
    "a b",
    "a:",
    "a:tag with space",
    "a@sha256:1",
    "a@b@c",
    "-flag",
    "$(touch x)",
    "a\nb",
    "r.example:5000/../a",
    "r.example:port/a",
  ])("refuses %j", (ref) => {
    expect(() => parseImageReference(ref)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });
});
