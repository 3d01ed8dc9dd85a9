import { describe, expect, it } from "vitest";
import { EXIT } from "../../packages/cli/src/exit-code.ts";
import { clipper } from "../support/clipper-command.ts";
import { Scratch } from "../support/scratch.ts";
import { readMarkdown, tableRows } from "./markdown.ts";

interface Usage {
  /** Without what stands in brackets. */
  readonly command: string;
  readonly argumentCount: number;
  /** By long name, its default as text where one is told. */
  readonly options: ReadonlyMap<string, string | undefined>;
}

/** What `--help` shows, with wrapped lines put together again. */
async function help(words: readonly string[]): Promise<string> {
  using scratch = new Scratch();
  const { stdout } = await clipper([...words, "--help"], scratch.env);
  return stdout.replace(/\n {10,}(?=\S)/g, " ");
}

function sectionOf(text: string, title: string): string[] {
  const section = new RegExp(`^${title}:\\n((?: .*\\n)+)`, "m").exec(text)?.[1] ?? "";
  return section
    .trimEnd()
    .split("\n")
    .map((line) => line.trim());
}

/** Every command that does something, with those below it. */
async function shownUsages(words: readonly string[] = []): Promise<Usage[]> {
  const text = await help(words);
  const below = sectionOf(text, "Commands")
    .map((line) => line.split(" ")[0] ?? "")
    .filter((name) => name !== "" && name !== "help");
  if (below.length > 0) {
    return (await Promise.all(below.map((name) => shownUsages([...words, name])))).flat();
  }
  const usage = /^Usage: clipper (.*)$/m.exec(text)?.[1] ?? "";
  const options = sectionOf(text, "Options").map((line) => {
    const name = /--[a-z-]+/.exec(line)?.[0] ?? line;
    return [name, /\(default: "?([^")]*)"?\)/.exec(line)?.[1]] as const;
  });
  return [
    {
      command: words.join(" "),
      argumentCount: usage.replace("[options]", "").match(/[<[]/g)?.length ?? 0,
      options: new Map(options.filter(([name]) => !COMMON.includes(name))),
    },
  ];
}

const COMMON = ["--cluster", "--output", "--quiet", "--help"];
const page = readMarkdown("docs/cli.md");

function documentedUsages(): Usage[] {
  return tableRows(page, "command").map(([command = "", options = ""]) => {
    const words = command.replaceAll("`", "").split(" ");
    const isArgument = (word: string) => /^\[?[A-Z]/.test(word);
    const named = [...options.matchAll(/`(--[a-z-]+)[^`]*`(?: \(([^)]*)\))?/g)];
    return {
      command: words.filter((word) => !isArgument(word)).join(" "),
      argumentCount: words.filter(isArgument).length,
      options: new Map(named.map(([, name = "", value]) => [name, value])),
    };
  });
}

describe("docs/cli.md", () => {
  it("has the commands, arguments, options and defaults that --help shows", async () => {
    const shown = await shownUsages();
    const documented = new Map(documentedUsages().map((usage) => [usage.command, usage]));
    expect([...documented.keys()].sort()).toEqual(shown.map(({ command }) => command).sort());
    for (const { command, argumentCount, options } of shown) {
      const described = documented.get(command);
      expect(described?.argumentCount, `arguments of ${command}`).toBe(argumentCount);
      expect([...(described?.options.keys() ?? [])].sort(), command).toEqual([...options.keys()].sort());
      for (const [name, value] of options) {
        if (value !== undefined) expect(described?.options.get(name), `${command} ${name}`).toContain(value);
      }
    }
  });

  it("has the options that every command has", async () => {
    const shown = sectionOf(await help(["status"]), "Options").map((line) => /--[a-z]+/.exec(line)?.[0]);
    const documented = tableRows(page, "option").map(([names = ""]) => /--[a-z]+/.exec(names)?.[0]);
    expect(documented).toEqual(shown);
  });

  it("has every exit code", () => {
    expect(tableRows(page, "code").map(([code]) => Number(code))).toEqual(Object.values(EXIT));
  });
});
