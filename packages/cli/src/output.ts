import { ClipperError } from "@clipper-serving/core";

export type OutputFormat = "text" | "json";

/** Where a command writes: data on stdout, everything else on stderr. */
export interface Output {
  readonly format: OutputFormat;
  /** Prints a command's result: the JSON of `data`, or the text for people. */
  result(data: unknown, text: string): void;
  /** A line of data as it stands. */
  line(text: string): void;
  /** Something worth knowing that is not data. */
  note(text: string): void;
  error(error: unknown): void;
}

export interface OutputOptions {
  readonly format: OutputFormat;
  /** Called before anything is written, to take away what only passes. */
  readonly beforeWriting: () => void;
}

export function createOutput({ format, beforeWriting }: OutputOptions): Output {
  const write = (stream: NodeJS.WritableStream, text: string) => {
    beforeWriting();
    stream.write(text.endsWith("\n") || text === "" ? text : `${text}\n`);
  };
  return {
    format,
    result: (data, text) => write(process.stdout, format === "json" ? JSON.stringify(data, null, 2) : text),
    line: (text) => write(process.stdout, text),
    note: (text) => write(process.stderr, text),
    error: (error) => write(process.stderr, format === "json" ? errorJson(error) : errorText(error)),
  };
}

function errorJson(error: unknown): string {
  if (ClipperError.isInstance(error)) return JSON.stringify({ error });
  const message = error instanceof Error ? error.message : String(error);
  return JSON.stringify({ error: { name: "Error", code: "FAILED", message, facts: {} } });
}

function errorText(error: unknown): string {
  if (!ClipperError.isInstance(error)) {
    return `error: ${error instanceof Error ? error.message : String(error)}\n`;
  }
  const log = Array.isArray(error.facts.log) ? (error.facts.log as string[]) : [];
  return [
    `error: ${error.message} [${error.code}]`,
    ...causesOf(error).map((cause) => `  because: ${cause}`),
    ...(error.hint === undefined ? [] : [`  hint: ${error.hint}`]),
    ...(log.length === 0 ? [] : ["  the last lines of its log:", ...log.map((line) => `    ${line}`)]),
    "",
  ].join("\n");
}

function causesOf(error: Error): string[] {
  const causes: string[] = [];
  for (let cause = error.cause; cause instanceof Error && causes.length < 5; cause = cause.cause) {
    if (cause.message && !error.message.includes(cause.message)) causes.push(cause.message);
  }
  return causes;
}

/** Columns wide enough for their longest cell, two spaces apart. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [line(head), ...rows.map(line)].join("\n");
}
