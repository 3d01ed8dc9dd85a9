import { spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface DockerOutcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The `docker` command, to its end. Never rejects for what it says. */
export async function docker(...words: string[]): Promise<DockerOutcome> {
  return dockerWith(undefined, ...words);
}

/** As `docker`, with something on its standard input. */
export async function dockerWith(
  input: AsyncIterable<Uint8Array> | undefined,
  ...words: string[]
): Promise<DockerOutcome> {
  const child = spawn("docker", words, { stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("latin1").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const closed = once(child, "close");
  if (input !== undefined && child.stdin !== null) await pipeline(Readable.from(input), child.stdin);
  const [status] = (await closed) as [number];
  return { status, stdout, stderr };
}

/** What {@link docker} printed; throws where it fails. */
export async function dockerOutput(...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await docker(...words);
  if (status !== 0) throw new Error(`docker ${words.join(" ")}: ${stderr}`);
  return stdout.trim();
}

/** The layers of each image that the engine has, lowest first. */
export async function presentLayers(): Promise<string[][]> {
  const ids = (await dockerOutput("images", "--all", "--quiet", "--no-trunc")).split("\n").filter(Boolean);
  if (ids.length === 0) return [];
  const lines = await dockerOutput(
    "image",
    "inspect",
    "--format",
    "{{json .RootFS.Layers}}",
    ...new Set(ids),
  );
  return lines.split("\n").map((line) => JSON.parse(line) as string[]);
}

/** How a container of ours runs: nothing it does not need. */
export const HARDENED: readonly string[] = [
  "--rm",
  ...["--network", "none"],
  "--read-only",
  ...["--cap-drop", "ALL"],
  ...["--security-opt", "no-new-privileges"],
  ...["--tmpfs", "/tmp"],
];
