import { expect, it } from "vitest";
import { LineSplitter } from "./line-splitter.js";

function lines(...chunks: (string | Uint8Array)[]): string[] {
  const found: Buffer[] = [];
  const splitter = new LineSplitter((given) => found.push(...given.map((line) => Buffer.from(line))));
  for (const chunk of chunks) splitter.push(Buffer.from(chunk as string));
  splitter.end();
  return found.map((line) => line.toString("utf8"));
}

it("gives lines as they end, empty ones too, and at the end what has no newline", () => {
  expect(lines("a\nb", "c\n\n", "d")).toEqual(["a", "bc", "", "d"]);
});

it("keeps a character whole that comes in two pieces", () => {
  const bytes = Buffer.from("é🙂\n");
  for (let cut = 1; cut < bytes.length; cut += 1) {
    expect(lines(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual(["é🙂"]);
  }
});

it("cuts a line that never ends, between characters", () => {
  const cut = lines("é".repeat(100_000));
  expect(cut.length).toBeGreaterThan(2);
  expect(cut.every((line) => /^é+$/.test(line))).toBe(true);
  expect(cut.join("")).toHaveLength(100_000);
});
