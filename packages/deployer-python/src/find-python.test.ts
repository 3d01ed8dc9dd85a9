import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findPython } from "./find-python.js";

describe("findPython", () => {
  let scratch: string;

  beforeEach(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), "clipper-python-"));
  });

  afterEach(async () => {
    await rm(scratch, { recursive: true, force: true });
  });

  async function fakePython(file: string, minor: string): Promise<string> {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, `#!/bin/sh\necho "${file}"\necho "${minor}"\n`);
    await chmod(file, 0o755);
    return file;
  }

  it("takes the one that is named", async () => {
    const python = await fakePython(path.join(scratch, "python"), "3.12");
    expect(await findPython({ python })).toEqual({ path: python, minor: "3.12" });
  });

  it("takes the active virtual environment's before the file's own", async () => {
    const active = await fakePython(path.join(scratch, "active/bin/python"), "3.12");
    const beside = await fakePython(path.join(scratch, ".venv/bin/python"), "3.13");
    const functionFile = path.join(scratch, "f.py");
    expect(
      (await findPython({ functionFile, env: { VIRTUAL_ENV: path.join(scratch, "active") } })).path,
    ).toBe(active);
    expect((await findPython({ functionFile, env: {} })).path).toBe(beside);
  });

  it("falls back to python3", async () => {
    expect((await findPython({ env: {}, functionFile: path.join(scratch, "f.py") })).minor).toMatch(
      /^3\.\d+$/,
    );
  });

  it("refuses one that is too old, naming it", async () => {
    const python = await fakePython(path.join(scratch, "python"), "3.9");
    await expect(findPython({ python })).rejects.toMatchObject({
      code: "UNSUPPORTED_PYTHON",
      facts: { python, minor: "3.9" },
    });
  });

  it("says what it tried when none answers", async () => {
    const python = path.join(scratch, "absent");
    const error = await findPython({ python }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "PYTHON_NOT_FOUND" });
    expect((error as Error).message).toContain(python);
  });
});
