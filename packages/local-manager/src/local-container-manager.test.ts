import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { containerManagerSuite, tinyHttpProgram } from "@clipper-serving/testing/container-manager";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LocalContainerManager } from "./local-container-manager.js";
import { buildPackage } from "./test-support/build.js";

const root = mkdtempSync(join(tmpdir(), "lm-"));
const home = join(root, "home");
const runtimeDirectory = join(root, "run");

beforeAll(buildPackage, 60_000);

containerManagerSuite({
  runner: { describe: describe.concurrent, it, afterAll },
  name: "local",
  factory: () => new LocalContainerManager({ home, runtimeDirectory }),
  program: tinyHttpProgram(),
});

afterAll(() => {
  const left = readdirSync(root, { recursive: true });
  rmSync(root, { recursive: true });
  expect(left).toEqual(["home"]);
});
