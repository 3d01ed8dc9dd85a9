import { spawn } from "node:child_process";
import { EngineError } from "../engine/engine-error.js";

const HELPER_TIMEOUT_MS = 15_000;
/** How helpers say that they know of nobody; there is no code for it. */
const NOT_FOUND = /credentials not found/i;

export interface HelperRequest {
  /** As `config.json` has it: `ecr-login` of `docker-credential-ecr-login`. */
  readonly helper: string;
  readonly registry: string;
  /** Default 15,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface HelperAnswer {
  readonly username: string;
  readonly secret: string;
}

/**
 * Asks a credential helper with `get`, the only thing that all of them can.
 * @returns undefined when it knows of no credentials for the registry
 * @throws EngineError `CREDENTIALS_FAILED`
 */
export async function askHelper(request: HelperRequest): Promise<HelperAnswer | undefined> {
  const { helper, registry, timeoutMs = HELPER_TIMEOUT_MS, signal } = request;
  if (!/^[\w.-]+$/.test(helper)) throw failed(request, "has a name that no program can have");
  const child = spawn(`docker-credential-${helper}`, ["get"], { stdio: ["pipe", "pipe", "pipe"] });
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number | null; text: string }>();
  let text = "";
  let said = "";
  let isLate = false;
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    said += chunk;
  });
  const onAbort = (): void => void child.kill("SIGKILL");
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
    // What it started may hold its pipes for ever.
    for (const pipe of child.stdio) pipe?.destroy();
  }, timeoutMs);
  signal?.addEventListener("abort", onAbort, { once: true });
  child.on("error", (cause: NodeJS.ErrnoException) =>
    reject(
      failed(request, cause.code === "ENOENT" ? "is not on PATH" : `cannot be run: ${cause.message}`, cause),
    ),
  );
  child.on("close", (code) => resolve({ code, text }));
  // One that ends without reading says what is wrong itself.
  child.stdin.on("error", () => undefined);
  child.stdin.end(registry);
  try {
    const answer = await promise;
    signal?.throwIfAborted();
    if (isLate) throw failed(request, `did not answer within ${timeoutMs} ms`);
    if (answer.code !== 0) {
      const why = answer.text.trim() || said.trim();
      if (NOT_FOUND.test(why)) return undefined;
      throw failed(request, `failed: ${why.slice(0, 300) || `exit code ${answer.code}`}`);
    }
    return parseAnswer(request, answer.text);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

function parseAnswer(request: HelperRequest, text: string): HelperAnswer {
  try {
    const { Username, Secret } = JSON.parse(text) as { Username?: unknown; Secret?: unknown };
    if (typeof Username === "string" && typeof Secret === "string")
      return { username: Username, secret: Secret };
  } catch {
    // Told below without the text, which may hold a secret.
  }
  throw failed(request, "answered something other than credentials");
}

function failed({ helper, registry }: HelperRequest, what: string, cause?: unknown): EngineError {
  return new EngineError({
    code: "CREDENTIALS_FAILED",
    message: `the credential helper docker-credential-${helper}, which your Docker configuration names for ${registry}, ${what}`,
    hint: "make it work on the command line, or remove it from credHelpers and credsStore in ~/.docker/config.json",
    facts: { helper: `docker-credential-${helper}`, registry },
    cause,
  });
}
