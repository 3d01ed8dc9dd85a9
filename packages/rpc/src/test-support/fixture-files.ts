import { readFileSync, writeFileSync } from "node:fs";
import { type FixtureFrame, layOut } from "./frame-bytes.ts";
import { GOLDEN_CASES } from "./golden-cases.ts";
import { HOSTILE_CASES, type HostileCase } from "./hostile-cases.ts";

/*
 * `node src/test-support/fixture-files.ts` writes `fixtures/`, which TypeScript and Python tests read. A test fails while
 * the files and the descriptions differ.
 */

export interface GoldenFixture {
  readonly name: string;
  readonly hex: string;
  readonly decodeOnly?: true;
  readonly frame: FixtureFrame;
}

export interface HostileFixture {
  readonly name: string;
  readonly hex: string;
  readonly expect: HostileCase["expect"];
  readonly why: string;
}

const folder = new URL("../../fixtures/", import.meta.url);

/** @returns each file's text as it should be */
export function fixtureTexts(): Readonly<Record<"golden.json" | "hostile.json", string>> {
  const golden = GOLDEN_CASES.map(
    ({ name, frame, decodeOnly }): GoldenFixture => ({
      name,
      hex: layOut(frame).toString("hex"),
      ...(decodeOnly === undefined ? {} : { decodeOnly }),
      frame,
    }),
  );
  const hostile = HOSTILE_CASES.map(
    ({ name, bytes, expect, why }): HostileFixture => ({
      name,
      hex: Buffer.from(bytes).toString("hex"),
      expect,
      why,
    }),
  );
  return { "golden.json": oneEntryALine(golden), "hostile.json": oneEntryALine(hostile) };
}

export function readFixture(file: "golden.json" | "hostile.json"): string {
  return readFileSync(new URL(file, folder), "utf8");
}

function oneEntryALine(entries: readonly unknown[]): string {
  return `[\n${entries.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`;
}

if (import.meta.main) {
  for (const [file, text] of Object.entries(fixtureTexts())) writeFileSync(new URL(file, folder), text);
}
