import { type ClipperErrorOptions, ManagerError } from "@clipper-serving/spec";
import { MANAGER } from "../manager-name.js";

/**
 * Why an engine did not do what it was asked. Stable.
 * `ENGINE_UNREACHABLE`: nothing answers, or no longer · `ENGINE_PERMISSION_DENIED`: it is there, and this user may not ask it ·
 * `ENGINE_UNSUPPORTED`: it speaks no version of the interface that this package speaks · `ENGINE_STALLED`: it stopped in the middle ·
 * `ENGINE_BROKEN_STREAM`: an answer ended early or is not what it should be · `ENGINE_DISK_FULL` · `NETWORKS_EXHAUSTED`: no free range of
 * addresses · `IMAGE_NOT_FOUND` · `IMAGE_PULL_DENIED`: its registry wants credentials, or others · `IMAGE_PULL_FAILED` · `IMAGE_LOAD_FAILED` ·
 * `IMAGE_MISMATCH`: the name means another image than the one asked for · `CREDENTIALS_FAILED`: a credential helper is absent, fails or hangs ·
 * `ENGINE_REFUSED`: anything else it answered with an error.
 */
export type EngineErrorCode =
  | "ENGINE_UNREACHABLE"
  | "ENGINE_PERMISSION_DENIED"
  | "ENGINE_UNSUPPORTED"
  | "ENGINE_STALLED"
  | "ENGINE_BROKEN_STREAM"
  | "ENGINE_DISK_FULL"
  | "NETWORKS_EXHAUSTED"
  | "IMAGE_NOT_FOUND"
  | "IMAGE_PULL_DENIED"
  | "IMAGE_PULL_FAILED"
  | "IMAGE_LOAD_FAILED"
  | "IMAGE_MISMATCH"
  | "CREDENTIALS_FAILED"
  | "ENGINE_REFUSED";

/** The engine could not be asked, or said no. */
export class EngineError extends ManagerError {
  /** Of the answer, where there was one. */
  readonly status: number | undefined;

  constructor(
    options: Omit<ClipperErrorOptions, "code"> & {
      readonly code: EngineErrorCode;
      readonly status?: number | undefined;
    },
  ) {
    const { status, facts, ...rest } = options;
    super({
      manager: MANAGER,
      ...rest,
      facts: { ...facts, ...(status === undefined ? {} : { status }) },
    });
    this.status = status;
  }
}

/** Whether the engine said that what was asked about does not exist. */
export function isAbsent(error: unknown): boolean {
  return EngineError.isInstance(error) && error.status === 404;
}

/** Whether it is done already, or being done: a name in use, a removal in progress. */
export function isConflict(error: unknown): boolean {
  return EngineError.isInstance(error) && error.status === 409;
}

const KNOWN_ANSWERS: readonly {
  readonly pattern: RegExp;
  readonly code: EngineErrorCode;
  readonly hint: string;
}[] = [
  {
    pattern: /no space left on device/i,
    code: "ENGINE_DISK_FULL",
    hint: "free space where the engine keeps its data, for example with `docker system prune`",
  },
  {
    pattern: /client version \S+ is too (old|new)/i,
    code: "ENGINE_UNSUPPORTED",
    hint: "try again: the engine was replaced by one of another version",
  },
  {
    pattern: /non-overlapping IPv4 address pool|predefined address pools have been fully subnetted/i,
    code: "NETWORKS_EXHAUSTED",
    hint: "remove networks that are not used (`docker network prune`), or widen `default-address-pools` of the engine",
  },
];

/** What an answer other than 2xx means. */
export function refusal(request: string, status: number, message: string): EngineError {
  const known = KNOWN_ANSWERS.find(({ pattern }) => pattern.test(message));
  return new EngineError({
    code: known?.code ?? "ENGINE_REFUSED",
    status,
    message: `the engine refused ${request}: ${message}`,
    hint: known?.hint,
    facts: { request, answer: message },
  });
}
