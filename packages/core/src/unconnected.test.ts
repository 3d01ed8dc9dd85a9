import { tmpdir } from "node:os";
import type { ContainerManager } from "@clipper-serving/spec";
import { InvalidNameError, UnconnectedError } from "@clipper-serving/spec";
import { describe, expect, it } from "vitest";
import { ClipperConnection } from "./clipper-connection.js";

/** Enough of a manager for calls that must not come as far as one. */
const manager = {
  specVersion: 1,
  name: "none",
  capabilities: {
    program: "directory",
    manyNodes: false,
    revives: false,
    volumes: true,
    gpus: false,
    logsOfExited: true,
  },
} as unknown as ContainerManager;

describe("a connection that is not connected", () => {
  const connection = new ClipperConnection(manager, { home: tmpdir() });

  it.each<[string, () => Promise<unknown>]>([
    ["status", () => connection.status()],
    ["registerApplication", () => connection.registerApplication({ name: "a", inputType: "doubles" })],
    ["getApplication", () => connection.getApplication("a")],
    ["linkModelToApp", () => connection.linkModelToApp({ app: "a", model: "m" })],
    ["predict", () => connection.predict({ app: "a", input: [1] })],
    ["setNumReplicas", () => connection.setNumReplicas({ model: "m", replicas: 1 })],
    ["setModelVersion", () => connection.setModelVersion({ model: "m" })],
    ["stopModels", () => connection.stopModels({ models: ["m"] })],
    ["getReplicas", async () => connection.getReplicas()],
    ["logs", () => connection.logs().next()],
  ])("%s says so with its own error", async (operation, call) => {
    const error = await (async () => call())().catch((thrown: unknown) => thrown);
    expect(UnconnectedError.isInstance(error)).toBe(true);
    expect(error).toMatchObject({ code: "UNCONNECTED", facts: { operation } });
  });

  it("refuses a cluster's name that cannot be one", () => {
    expect(() => new ClipperConnection(manager, { cluster: "Bad Name" })).toThrow(InvalidNameError);
  });
});
