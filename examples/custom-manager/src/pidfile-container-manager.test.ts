import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { containerManagerSuite, tinyHttpProgram } from "@clipper-serving/testing/container-manager";
import { afterAll, describe, expect, it } from "vitest";
import { PidfileContainerManager } from "./pidfile-container-manager.ts";

const directory = mkdtempSync(join(tmpdir(), "pidfile-"));

containerManagerSuite({
  runner: { describe: describe.concurrent, it, afterAll },
  name: "pidfile",
  factory: () => new PidfileContainerManager(directory),
  program: tinyHttpProgram(),
  skip: [
    {
      reason: "it ends the old instances before it starts the new, as its README says",
      tests: [
        "a changed program takes over without a gap",
        "an instance that never becomes ready leaves the old one serving, and can be replaced",
        "going back before the new one is ready keeps the old one",
      ],
    },
  ],
});

afterAll(() => {
  const left = readdirSync(directory);
  rmSync(directory, { recursive: true });
  expect(left).toEqual([]);
});
