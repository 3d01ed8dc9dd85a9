import { tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { createContainerManager } from "./create-container-manager.js";
import { resolveOptions } from "./local-options.js";

it("keeps clusters where the environment says, and else in the user's state directory", () => {
  const home = (environment: NodeJS.ProcessEnv): string => resolveOptions({}, environment).home;
  expect(home({ CLIPPER_HOME: "/c", XDG_STATE_HOME: "/x" })).toBe("/c");
  expect(home({ CLIPPER_HOME: "c" })).toBe(resolve("c"));
  expect(home({ XDG_STATE_HOME: "/x" })).toBe("/x/clipper");
  expect(home({})).toBe(join(userInfo().homedir, ".local/state/clipper"));
  expect(resolveOptions({ home: "/given/../h" }, { CLIPPER_HOME: "/c" }).home).toBe("/h");
});

it("keeps sockets in the runtime directory, and else in a private temporary one", () => {
  const runtime = (environment: NodeJS.ProcessEnv): string =>
    resolveOptions({}, environment).runtimeDirectory;
  expect(runtime({ XDG_RUNTIME_DIR: "/run/user/7" })).toBe("/run/user/7/clipper");
  expect(runtime({})).toBe(join(tmpdir(), `clipper-${userInfo().uid}`));
});

it("refuses options that it does not know, and paths that are not absolute", () => {
  expect(createContainerManager({ home: "/h" }).name).toBe("local");
  const expected = expect.objectContaining({ code: "INVALID_ARGUMENT" });
  expect(() => createContainerManager({ hoem: "/h" })).toThrow(expected);
  expect(() => createContainerManager({ home: "h" })).toThrow(expected);
});
