import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { firstFileOf, linkTargetOf, tarOf } from "./tar.js";

it("writes what tar reads, owners and modes included, under long names and any letters", () => {
  const long = `run/${"n".repeat(200)}.key`;
  const archive = tarOf([
    { path: "run/", kind: "directory", mode: 0o500, owner: 65_532 },
    { path: "run/token", kind: "file", mode: 0o400, owner: 65_532, bytes: Buffer.from("abc") },
    { path: long, kind: "file", mode: 0o400, owner: 65_532, bytes: new Uint8Array(600) },
    { path: "run/schlüssel", kind: "file", mode: 0o400, owner: 65_532 },
  ]);
  const listed = execFileSync(
    "tar",
    ["--list", "--verbose", "--numeric-owner", "--quoting-style=literal", "--file", "-"],
    {
      input: archive,
      encoding: "utf8",
      env: { ...process.env, LC_ALL: "C.UTF-8", TZ: "UTC" },
    },
  );
  const entries = listed
    .trim()
    .split("\n")
    .map((line) => line.split(/\s+/));
  expect(entries.map(([mode, owner, size, , , path]) => [mode, owner, size, path])).toEqual([
    ["dr-x------", "65532/65532", "0", "run/"],
    ["-r--------", "65532/65532", "3", "run/token"],
    ["-r--------", "65532/65532", "600", long],
    ["-r--------", "65532/65532", "0", "run/schlüssel"],
  ]);
  expect(firstFileOf(archive)?.toString()).toBe("abc");
  expect(linkTargetOf(archive)).toBeUndefined();
});
