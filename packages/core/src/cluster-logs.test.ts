import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { LogLine } from "@clipper-serving/spec";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeLogs } from "./cluster-logs.js";

describe("writeLogs", () => {
  let scratch: string;

  beforeEach(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), "clipper-logs-"));
  });

  afterEach(async () => {
    await rm(scratch, { recursive: true, force: true });
  });

  async function* lines(...given: readonly [instance: string, text: string][]): AsyncGenerator<LogLine> {
    for (const [instance, text] of given) yield { workload: "w", instance, stream: "stdout", text };
  }

  it("writes a file for each instance, its lines in order, into a directory that it makes", async () => {
    const directory = path.join(scratch, "new", "logs");
    const files = await writeLogs(directory, lines(["a-1", "one"], ["a-2", "other"], ["a-1", "two"]));
    expect(files).toEqual([path.join(directory, "a-1.log"), path.join(directory, "a-2.log")]);
    expect(await readFile(files[0] ?? "", "utf8")).toBe("one\ntwo\n");
    expect(await readdir(directory)).toHaveLength(2);
  });

  it("replaces what an earlier call wrote", async () => {
    await writeLogs(scratch, lines(["a-1", "long ago"]));
    const [file = ""] = await writeLogs(scratch, lines(["a-1", "now"]));
    expect(await readFile(file, "utf8")).toBe("now\n");
  });

  it("refuses a directory that cannot be one, before it reads any line", async () => {
    const file = path.join(scratch, "file");
    await writeFile(file, "");
    let isRead = false;
    async function* watched(): AsyncGenerator<LogLine> {
      isRead = true;
      yield* lines();
    }
    await expect(writeLogs(file, watched())).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(isRead).toBe(false);
  });
});
