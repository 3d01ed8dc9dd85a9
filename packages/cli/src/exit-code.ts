import {
  ClipperError,
  ConflictError,
  InvalidArgumentError,
  InvalidNameError,
  NotFoundError,
  PortTakenError,
  RefusedError,
  TimeoutError,
  UnconnectedError,
  UnreachableError,
} from "@clipper-serving/core";

/** What the shell is told. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  notReady: 5,
  unreachable: 6,
  refused: 7,
  interrupted: 130,
} as const;

/** Where the code says more than the class. */
const BY_CODE: Readonly<Record<string, number>> = {
  INVALID_SAMPLE: EXIT.usage,
  REPLICA_NOT_READY: EXIT.notReady,
  STORE_UNAVAILABLE: EXIT.unreachable,
  ENGINE_UNREACHABLE: EXIT.unreachable,
  // Its status is the engine's word to the manager, not a frontend's to the caller.
  ENGINE_REFUSED: EXIT.failed,
  ENGINE_PERMISSION_DENIED: EXIT.refused,
  IMAGE_PULL_DENIED: EXIT.refused,
};

const BY_CLASS = [
  [InvalidArgumentError, EXIT.usage],
  [InvalidNameError, EXIT.usage],
  [NotFoundError, EXIT.notFound],
  [ConflictError, EXIT.conflict],
  [PortTakenError, EXIT.conflict],
  [TimeoutError, EXIT.notReady],
  [UnreachableError, EXIT.unreachable],
  [UnconnectedError, EXIT.unreachable],
  [RefusedError, EXIT.refused],
] as const;

/** @returns the exit code of a command that failed with `error` */
export function exitCodeOf(error: unknown): number {
  if (!ClipperError.isInstance(error)) return EXIT.failed;
  const byCode = BY_CODE[error.code];
  if (byCode !== undefined) return byCode;
  const byClass = BY_CLASS.find(([kind]) => kind.isInstance(error));
  if (byClass !== undefined) return byClass[1];
  // What a frontend refused to take is the caller's to mend.
  const { status } = error.facts;
  return typeof status === "number" && status >= 400 && status < 500 ? EXIT.usage : EXIT.failed;
}
