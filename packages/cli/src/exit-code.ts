import { ClipperError } from "@clipper-serving/core";

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

/** By the names of the classes an error derives from, nearest first. */
const BY_CLASS: Readonly<Record<string, number>> = {
  InvalidArgumentError: EXIT.usage,
  InvalidNameError: EXIT.usage,
  NotFoundError: EXIT.notFound,
  ConflictError: EXIT.conflict,
  VersionExistsError: EXIT.conflict,
  PortTakenError: EXIT.conflict,
  TimeoutError: EXIT.notReady,
  UnreachableError: EXIT.unreachable,
  UnconnectedError: EXIT.unreachable,
  StoreUnavailableError: EXIT.unreachable,
  RefusedError: EXIT.refused,
};

const BY_CODE: Readonly<Record<string, number>> = {
  REPLICA_NOT_READY: EXIT.notReady,
  CLUSTER_STOPPED: EXIT.unreachable,
};

/** @returns the exit code of a command that failed with `error` */
export function exitCodeOf(error: unknown): number {
  if (!ClipperError.isInstance(error)) return EXIT.failed;
  const known = BY_CODE[error.code] ?? BY_CLASS[error.name];
  if (known !== undefined) return known;
  // What a frontend refused to take is the caller's to mend.
  const status = error.facts.status;
  return typeof status === "number" && status >= 400 && status < 500 ? EXIT.usage : EXIT.failed;
}
