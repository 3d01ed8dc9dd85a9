import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { bytecodeEntries } from "./bytecode.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "bytecode-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it("leaves nothing of a compilation that is called off, though Python takes a while to end", async () => {
  const python = path.join(directory, "python");
  const [begun, ended] = [path.join(directory, "begun"), path.join(directory, "ended")];
  // Its second argument says where compiled files go.
  const writesOnceMore = `sleep 0.3; mkdir -p "\${2#pycache_prefix=}/more"; touch ${ended}; exit`;
  writeFileSync(
    python,
    `#!/bin/bash\ntrap '${writesOnceMore}' TERM\ntouch ${begun}\nwhile :; do sleep 0.05; done\n`,
  );
  chmodSync(python, 0o755);
  const cacheDirectory = path.join(directory, "cache");
  const stop = new AbortController();
  const reason = new TypeError("enough");
  const content = { entries: [], stamp: "" };
  const compiled = bytecodeEntries(
    { directory, content, place: "opt", python, cacheDirectory },
    { signal: stop.signal },
  );
  compiled.catch(() => {});
  await expect.poll(() => readdirSync(directory)).toContain("begun");
  stop.abort(reason);
  await expect(compiled).rejects.toBe(reason);
  await expect.poll(() => readdirSync(directory)).toContain("ended");
  expect(readdirSync(cacheDirectory)).toEqual([]);
});
