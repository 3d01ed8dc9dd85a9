import { spawn } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runCommand } from "../../../tools/run-command.ts";
import { testImages } from "../../environment/docker/test-images.ts";
import { Scratch } from "../../support/scratch.ts";
import { docker, dockerOutput, dockerWith } from "../docker-command.ts";

/** A user's own base: the tests' base with a package from the index, as `RUN pip install PACKAGE` would make it. */
export async function baseWithPackage(tag: string, requirement: string): Promise<void> {
  await addToBase(tag, async (root) => {
    const packages = `usr/local/lib/python${testImages().pythonMinor}/dist-packages`;
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
    const { code, output } = await runCommand("python3", [
      ...pip,
      "--target",
      join(root, packages),
      requirement,
    ]);
    if (code !== 0) throw new Error(output);
  });
}

/** The tests' base with another `python3` before its own, as far as can be seen without running it. */
export async function baseWithPython(tag: string, minor: string): Promise<void> {
  await addToBase(tag, async (root) => {
    const python = join(root, "usr/local/bin", `python${minor}`);
    mkdirSync(dirname(python), { recursive: true });
    writeFileSync(python, "");
    symlinkSync(`python${minor}`, join(root, "usr/local/bin/python3"));
  });
}

/** The tests' base with a Java, as far as can be seen without running it. */
export async function baseWithJava(tag: string, version: string): Promise<void> {
  await addToBase(tag, async (root) => {
    const home = join(root, "opt", "java");
    mkdirSync(join(home, "bin"), { recursive: true });
    mkdirSync(join(root, "usr/local/bin"), { recursive: true });
    writeFileSync(join(home, "bin", "java"), "");
    writeFileSync(join(home, "release"), `JAVA_VERSION="${version}"\n`);
    symlinkSync("/opt/java/bin/java", join(root, "usr/local/bin/java"));
  });
}

/** An image that is, as far as can be seen without running it, Alpine's with Python. */
export async function baseWithMusl(tag: string): Promise<void> {
  using scratch = new Scratch();
  const root = scratch.path("root");
  const { pythonMinor } = testImages();
  const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
  for (const file of [`usr/bin/python${pythonMinor}`, `lib/ld-musl-${machine}.so.1`]) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), "");
  }
  symlinkSync(`python${pythonMinor}`, join(root, "usr/bin/python3"));
  const tar = spawn("tar", ["-C", root, "-c", "."], { stdio: ["ignore", "pipe", "inherit"] });
  const { status, stderr } = await dockerWith(tar.stdout, "import", "-", tag);
  if (status !== 0) throw new Error(stderr);
}

/** The tests' base with a program that is found before one of its own with the same name. */
export async function baseWithProgram(tag: string, name: string, script: string): Promise<void> {
  await addToBase(tag, async (root) => {
    const program = join(root, "usr/local/sbin", name);
    mkdirSync(dirname(program), { recursive: true });
    writeFileSync(program, script, { mode: 0o755 });
  });
}

export async function removeImages(...tags: string[]): Promise<void> {
  await docker("rmi", "--force", ...tags);
}

async function addToBase(tag: string, fill: (root: string) => Promise<void>): Promise<void> {
  using scratch = new Scratch();
  const root = scratch.path("root");
  mkdirSync(root);
  await fill(root);
  const container = await dockerOutput("create", testImages().base);
  try {
    const tar = spawn("tar", ["-C", root, "-c", "."], { stdio: ["ignore", "pipe", "inherit"] });
    const { status, stderr } = await dockerWith(tar.stdout, "cp", "-", `${container}:/`);
    if (status !== 0) throw new Error(stderr);
    await dockerOutput("commit", container, tag);
  } finally {
    await docker("rm", container);
  }
}
