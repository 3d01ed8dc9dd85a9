import { execFileSync } from "node:child_process";
import { DockerContainerManager } from "@clipper-serving/docker-manager";
import { containerManagerSuite, tinyHttpProgram } from "@clipper-serving/testing/container-manager";
import { afterAll, describe, expect, it } from "vitest";
import { engineAbsence } from "../environment/engines.ts";
import { tinyHttpImage } from "./docker-manager-program.ts";

const absence = engineAbsence("docker");

/** Names of everything that a test's cluster has on the engine. */
function labelled(): string[] {
  const lists = [
    ["ps", "--all"],
    ["volume", "ls"],
    ["network", "ls"],
  ];
  return lists.flatMap((words) =>
    execFileSync("docker", [...words, "--quiet", "--filter", "label=clipper-serving.cluster"], {
      encoding: "utf8",
    })
      .split("\n")
      .filter((line) => line !== ""),
  );
}

describe.skipIf(absence)(`on a Docker engine${absence === undefined ? "" : ` (${absence})`}`, () => {
  const before = absence === undefined ? labelled() : [];

  containerManagerSuite({
    runner: { describe, it: it.concurrent, afterAll },
    name: "docker",
    factory: () => new DockerContainerManager(),
    program: absence === undefined ? tinyHttpImage() : { ...tinyHttpProgram(), kind: "image", ref: "absent" },
    patienceMs: 30_000,
  });

  it("leaves nothing on the engine", () => {
    expect(labelled().filter((name) => !before.includes(name))).toEqual([]);
  });
});
