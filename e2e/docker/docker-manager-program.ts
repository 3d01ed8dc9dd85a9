import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type SuiteProgram, tinyHttpProgram } from "@clipper-serving/testing/container-manager";
import { testImages } from "../environment/docker/test-images.ts";

/** The suite's program as an image on the tests' base: Node and one file. Made once, and again when one of them changes. */
export function tinyHttpImage(): Extract<SuiteProgram, { kind: "image" }> {
  const { base } = testImages();
  const program = join(tinyHttpProgram().path, "main.mjs");
  const content = createHash("sha256").update(base).update(process.version).update(readFileSync(program));
  const ref = `clipper-test/tiny:${content.digest("hex").slice(0, 12)}`;
  if (spawnSync("docker", ["image", "inspect", ref], { stdio: "ignore" }).status !== 0) {
    const docker = (...words: string[]) => execFileSync("docker", words, { encoding: "utf8" }).trim();
    const container = docker("create", base, "true");
    docker("cp", process.execPath, `${container}:/usr/local/bin/node`);
    docker("cp", program, `${container}:/srv/main.mjs`);
    docker("commit", "--change", "WORKDIR /srv", container, ref);
    docker("rm", container);
  }
  return { kind: "image", ref, command: ["node", "main.mjs"] };
}
