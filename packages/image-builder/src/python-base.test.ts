import { describe, expect, it } from "vitest";
import { checkPythonBase, inspectPythonBase } from "./python-base.js";
import { debianPython, sinkWithBase, type TestBase } from "./test-support/base-image.js";

const inspect = (base: TestBase) => inspectPythonBase({ sink: sinkWithBase(base), ref: "base:1" });

describe("inspectPythonBase", () => {
  it("finds the interpreter behind python3, and the base's users", async () => {
    const base = await inspect({ files: debianPython });
    expect(base.python).toEqual({ path: "/usr/bin/python3.11", minor: "3.11" });
    expect(base.accounts.passwd).toContain("root:x:0:0");
  });

  it("finds the users of a base that keeps them behind links", async () => {
    const files = {
      ...debianPython,
      "/etc/passwd": { link: "../nix/store/1-users/etc/passwd" },
      "/nix/store/1-users/etc/passwd": { link: "/nix/store/2-passwd" },
      "/nix/store/2-passwd": "root:x:0:0::/root:/bin/sh\n",
    };
    expect((await inspect({ files })).accounts.passwd).toBe("root:x:0:0::/root:/bin/sh\n");
  });

  it("takes the first python3 that PATH finds", async () => {
    const files = {
      ...debianPython,
      "/opt/conda/bin/python3": { link: "python3.12" },
      "/opt/conda/bin/python3.12": { size: 1 },
    };
    const base = await inspect({ files, env: { PATH: "/opt/conda/bin:/usr/bin" } });
    expect(base.python).toEqual({ path: "/opt/conda/bin/python3.12", minor: "3.12" });
  });

  it("follows links across directories", async () => {
    const files = {
      "/usr/bin/python3": { link: "/etc/alternatives/python3" },
      "/etc/alternatives/python3": { link: "../../opt/py/bin/python3.10" },
      "/opt/py/bin/python3.10": { size: 1 },
    };
    expect((await inspect({ files })).python).toEqual({ path: "/opt/py/bin/python3.10", minor: "3.10" });
  });

  it("takes the base's word where the file's name does not tell", async () => {
    const files = { "/usr/local/bin/python3": { size: 1 } };
    const base = await inspect({ files, env: { PYTHON_VERSION: "3.13.1" } });
    expect(base.python).toEqual({ path: "/usr/local/bin/python3", minor: "3.13" });
  });

  it.each([
    ["has no Python", {}],
    ["does not tell which Python it has", { "/usr/bin/python3": { size: 1 } }],
    ["has links in a circle", { "/usr/bin/python3": { link: "python3" } }],
  ])("refuses a base that %s", async (_what, files) => {
    await expect(inspect({ files })).rejects.toMatchObject({
      code: "PYTHON_UNKNOWN",
      facts: { base: "base:1" },
    });
  });

  it("is told what it cannot find", async () => {
    const python = { path: "/srv/python", minor: "3.11" };
    expect((await inspectPythonBase({ sink: sinkWithBase(), ref: "base:1", python })).python).toEqual(python);
  });
});

describe("checkPythonBase", () => {
  it("names both Pythons that differ", async () => {
    const base = await inspect({ files: debianPython });
    expect(() => checkPythonBase(base, { pythonMinor: "3.12", platform: "linux/amd64" })).toThrow(
      "pickled by Python 3.12, and base:1 has Python 3.11",
    );
  });

  it("names both platforms that differ, and takes a variant for the same machine", async () => {
    const base = await inspect({ files: debianPython, platform: "linux/arm64/v8" });
    expect(() => checkPythonBase(base, { pythonMinor: "3.11", platform: "linux/amd64" })).toThrow(
      "for linux/amd64, and base:1 is for linux/arm64/v8",
    );
    checkPythonBase(base, { pythonMinor: "3.11", platform: "linux/arm64" });
  });

  it("refuses musl, by name, and not what has it beside glibc or does not tell", async () => {
    const required = { pythonMinor: "3.11", platform: "linux/amd64" };
    const musl = { ...debianPython, "/lib/ld-musl-x86_64.so.1": { size: 1 } };
    const alpine = await inspect({ files: musl });
    expect(() => checkPythonBase(alpine, required)).toThrow(
      expect.objectContaining({
        code: "LIBC_MISMATCH",
        message: "the environment is for glibc, and base:1 has musl",
      }),
    );
    const both = await inspect({ files: { ...musl, "/usr/lib/x86_64-linux-gnu/libc.so.6": { size: 1 } } });
    checkPythonBase(both, required);
    checkPythonBase(await inspect({ files: debianPython }), required);
  });
});
