import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runPythonTool } from "./python-tool.js";

const TARGET = { model: "m", version: "1" };
const OK = `echo '{"ok": true, "answer": 42}' > "$report"`;

describe("runPythonTool", () => {
  let scratch: string;

  beforeEach(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), "clipper-tool-"));
  });

  afterEach(async () => {
    await rm(scratch, { recursive: true, force: true });
  });

  /** Runs what stands in for an interpreter; `$report` is where it tells its result. */
  async function run(script: string, options: { signal?: AbortSignal; timeoutMs?: number } = {}) {
    const python = path.join(scratch, "python");
    await writeFile(python, `#!/bin/bash\nfor report; do :; done\n${script}\n`);
    await chmod(python, 0o755);
    const { timeoutMs = 20_000, ...call } = options;
    const lines: string[] = [];
    const result = runPythonTool<{ answer: number }>(
      { python, module: "tool", args: [], step: "capture", target: TARGET, scratch, timeoutMs },
      { ...call, onProgress: ({ message }) => lines.push(message) },
    );
    return { result, lines };
  }

  const isAlive = (pid: number) => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };

  it("gives the report, and tells what was printed", async () => {
    const { result, lines } = await run(`echo hello; echo 'clipper-progress: {"text": "half"}' >&2; ${OK}`);
    expect(await result).toMatchObject({ answer: 42 });
    expect(lines.sort()).toEqual(["half", "hello"]);
  });

  it("gives the tool a lifeline, which ends with this process", async () => {
    const { result } = await run(`[ -S /dev/fd/$CLIPPER_LIFELINE ] && ${OK}`);
    expect(await result).toMatchObject({ answer: 42 });
  });

  it("does not wait for what the user's code left running, and ends what it can of it", async () => {
    const started = performance.now();
    const { result } = await run(
      [
        `cd ${scratch}`,
        "sleep 30 & echo $! > child",
        "setsid bash -c 'echo $$ > detached; exec sleep 30' &",
        "until [ -s detached ]; do :; done",
        OK,
      ].join("\n"),
    );
    expect(await result).toMatchObject({ answer: 42 });
    expect(performance.now() - started).toBeLessThan(10_000);
    const pidOf = async (name: string) => Number(await readFile(path.join(scratch, name), "utf8"));
    const deadline = performance.now() + 5_000;
    while (isAlive(await pidOf("child")) && performance.now() < deadline) await new Promise(setImmediate);
    expect(isAlive(await pidOf("child"))).toBe(false);
    process.kill(await pidOf("detached"), "SIGKILL");
  });

  it("keeps the last 50 lines for the error, and cuts a line without an end", async () => {
    const { result } = await run(
      "for i in $(seq 1 200); do echo line $i; done; head -c 3000000 /dev/zero | tr '\\0' x; exit 9",
    );
    const error = (await result.catch((thrown: unknown) => thrown)) as { facts: { log: string[] } };
    expect(error).toMatchObject({ code: "CAPTURE_FAILED", facts: { exitCode: 9 } });
    expect(error.facts.log).toHaveLength(50);
    expect(error.facts.log.every((line) => line.length <= 64 * 1024)).toBe(true);
    expect(error.facts.log.at(-1)).toMatch(/^x+$/);
  });

  it("says that a report cannot be read", async () => {
    const { result } = await run(`echo '{"ok": tr' > "$report"`);
    await expect(result).rejects.toMatchObject({ code: "CAPTURE_FAILED" });
  });

  it("ends at once when it is called off, with the signal's reason", async () => {
    const abort = new AbortController();
    const reason = new RangeError("enough");
    const { result } = await run("echo up; sleep 30", { signal: abort.signal });
    setImmediate(() => abort.abort(reason));
    await expect(result).rejects.toBe(reason);
  });

  it("ends one that takes too long, and says so", async () => {
    const { result } = await run("sleep 30", { timeoutMs: 200 });
    await expect(result).rejects.toMatchObject({
      code: "CAPTURE_FAILED",
      message: expect.stringContaining("200 ms"),
    });
  });
});
