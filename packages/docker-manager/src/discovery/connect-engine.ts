import type { CallOptions } from "@clipper-serving/spec";
import { EngineClient } from "../engine/engine-client.js";
import { EngineError } from "../engine/engine-error.js";
import { type EngineVersion, negotiateVersion } from "../engine/engine-version.js";
import type { EngineCandidate } from "./engine-candidates.js";

const ANSWER_TIMEOUT_MS = 5_000;
const SSH_ANSWER_TIMEOUT_MS = 30_000;

export interface ConnectedEngine {
  readonly client: EngineClient;
  readonly version: EngineVersion;
}

/** What was tried, and why it was not it. */
interface Attempt {
  readonly source: string;
  readonly host: string;
  readonly why: string;
  readonly error?: EngineError;
}

/**
 * Takes the first candidate that answers.
 * @throws EngineError `ENGINE_UNREACHABLE` or `ENGINE_PERMISSION_DENIED`, listing all that was tried; `ENGINE_UNSUPPORTED`
 */
export async function connectEngine(
  candidates: readonly EngineCandidate[],
  { signal }: CallOptions = {},
): Promise<ConnectedEngine> {
  const attempts: Attempt[] = [];
  for (const candidate of candidates) {
    const { source, name } = candidate;
    if ("problem" in candidate) {
      attempts.push({ source, host: name, why: candidate.problem });
      continue;
    }
    try {
      return await connect(candidate.host, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (!EngineError.isInstance(error) || error.code === "ENGINE_UNSUPPORTED") throw error;
      attempts.push({ source, host: name, why: whyOf(error), error });
    }
  }
  throw notFound(attempts);
}

async function connect(
  host: ConstructorParameters<typeof EngineClient>[0],
  signal: AbortSignal | undefined,
): Promise<ConnectedEngine> {
  let client: EngineClient | undefined;
  try {
    client = new EngineClient(host);
    const answerTimeoutMs = host.kind === "ssh" ? SSH_ANSWER_TIMEOUT_MS : ANSWER_TIMEOUT_MS;
    return { client, version: await negotiateVersion(client, { signal, answerTimeoutMs }) };
  } catch (error) {
    client?.close();
    signal?.throwIfAborted();
    if (EngineError.isInstance(error)) throw error;
    // Certificates that cannot be read, or an environment that the transport refuses.
    throw new EngineError({
      code: "ENGINE_UNREACHABLE",
      message: (error as Error).message,
      cause: error,
    });
  }
}

function whyOf(error: EngineError): string {
  const { cause } = error;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  if (code === "ENOENT") return "there is no such socket";
  if (code === "ECONNREFUSED") return "nobody listens there";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  return cause instanceof Error ? cause.message : error.message;
}

function notFound(attempts: readonly Attempt[]): EngineError {
  const forbidden = attempts.find(({ error }) => error?.code === "ENGINE_PERMISSION_DENIED");
  const tried = attempts.map(({ source, host, why }) => `${host} (${source}): ${why}`).join("; ");
  const only = attempts.length === 1 ? attempts[0]?.error : undefined;
  return new EngineError({
    code: forbidden === undefined ? "ENGINE_UNREACHABLE" : "ENGINE_PERMISSION_DENIED",
    message: `no container engine can be used: ${tried}`,
    hint:
      forbidden?.error?.hint ??
      only?.hint ??
      "start an engine, or name one by the option host, DOCKER_HOST or `docker context use`",
    facts: { tried: attempts.map(({ source, host, why }) => ({ source, host, why })) },
    cause: forbidden?.error ?? only,
  });
}
