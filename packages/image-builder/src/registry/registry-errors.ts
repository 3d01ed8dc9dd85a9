import {
  ClipperError,
  ManagerError,
  RefusedError,
  TimeoutError,
  UnreachableError,
} from "@clipper-serving/spec";

/** What was being done when a registry failed. */
export interface RegistryCall {
  readonly registry: string;
  /** `clipper/digits` */
  readonly repository: string;
  /** For people: `push the layer sha256:…`. */
  readonly doing: string;
}

/** The registry answered, and not as it should. */
export async function answerError(call: RegistryCall, response: Response): Promise<ClipperError> {
  const said = await saidBy(response);
  const { status } = response;
  const facts = { registry: call.registry, repository: call.repository, status, said };
  const message = `the registry ${call.registry} did not ${call.doing} (${status}${said === "" ? "" : `: ${said}`})`;
  if (status === 401) {
    return new RefusedError({
      code: "REGISTRY_UNAUTHORIZED",
      message,
      hint: `log in to ${call.registry} with the docker command, or check the credentials it has`,
      facts,
    });
  }
  if (status === 403) {
    return new RefusedError({
      code: "REGISTRY_DENIED",
      message,
      hint: `ask for the right to use ${call.repository} at ${call.registry}, or name another repository`,
      facts,
    });
  }
  if (status === 404) return notFound(call, message, facts);
  return new ManagerError({
    manager: "registry",
    code: isPassing(status) ? "REGISTRY_UNAVAILABLE" : "REGISTRY_FAILED",
    message,
    hint: status === 413 ? "a layer is larger than a proxy in front of the registry lets through" : undefined,
    facts,
  });
}

function notFound(
  call: RegistryCall,
  message: string,
  facts: Readonly<Record<string, unknown>>,
): ManagerError {
  return new ManagerError({
    manager: "registry",
    code: "IMAGE_NOT_FOUND",
    message,
    hint: `check the name, and that ${call.repository} exists at ${call.registry}`,
    facts,
  });
}

function isPassing(status: number): boolean {
  return status === 429 || status >= 500;
}

/** Whether the same may succeed a moment later. */
export function isWorthRepeating(error: unknown): boolean {
  if (!ClipperError.isInstance(error)) return false;
  return ["UNREACHABLE", "REGISTRY_UNAVAILABLE", "REGISTRY_CORRUPT"].includes(error.code);
}

/** No answer came, or it ended early. */
export function connectionError(call: RegistryCall, cause: unknown): ClipperError {
  const text = textOf(cause);
  const isPlain = /wrong version number|packet length too long|record layer/i.test(text);
  return new UnreachableError({
    what: `the registry, to ${call.doing},`,
    address: call.registry,
    hint: isPlain
      ? "it seems to speak plain http: allow that with plainHttp, on networks you trust"
      : `check that it runs and that this machine reaches it (${text})`,
    cause,
  });
}

export function stallError(call: RegistryCall, timeoutMs: number): ClipperError {
  return new TimeoutError({
    what: `any progress of the registry ${call.registry}, to ${call.doing},`,
    timeoutMs,
    hint: "check the network between here and the registry, and try again",
    facts: { registry: call.registry, repository: call.repository },
  });
}

/** A token ended while a stream was about to be sent, which is gone: the new one is for whoever sends it again. */
export function expiredError(call: RegistryCall): ClipperError {
  return new ManagerError({
    manager: "registry",
    code: "REGISTRY_UNAVAILABLE",
    message: `the registry ${call.registry} did not ${call.doing}: the token had ended`,
    hint: "try again",
    facts: { registry: call.registry, repository: call.repository },
  });
}

/** The bytes are not those that were asked for. */
export function corruptError(
  call: RegistryCall,
  facts: Readonly<Record<string, unknown>>,
  cause?: unknown,
): ClipperError {
  return new ManagerError({
    manager: "registry",
    code: "REGISTRY_CORRUPT",
    message: `the registry ${call.registry} gave other bytes than their digest says, to ${call.doing}`,
    hint: "a proxy may have changed them, or the registry's storage is damaged",
    facts: { registry: call.registry, repository: call.repository, ...facts },
    cause,
  });
}

/** `DENIED: requested access to the resource is denied`, where the body says so. */
async function saidBy(response: Response): Promise<string> {
  const text = (await response.text().catch(() => "")).slice(0, 2_000);
  try {
    const { errors } = JSON.parse(text) as { errors?: { code?: string; message?: string }[] };
    const said = errors?.map(({ code, message }) => [code, message].filter(Boolean).join(": ")).join("; ");
    return said ?? "";
  } catch {
    return text.startsWith("<") ? "" : text.trim().slice(0, 200);
  }
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : textOf(error.cause);
}
