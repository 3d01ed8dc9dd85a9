import { ClipperError, StoreUnavailableError, TimeoutError } from "@clipper-serving/spec";
import { ErrorReply } from "redis";
import { StoreSettingsError } from "./store-errors.js";

/** What a person can do, by the word that Redis' own words begin with. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ["NOAUTH", "it wants a password: give the right one"],
  ["WRONGPASS", "the password or the user's name is wrong"],
  [
    "NOPERM",
    "the user may not do this: it needs the commands GET, SET, EXISTS, EVAL, H*, L* and R* on the prefix",
  ],
  ["READONLY", "this is a replica: give the primary's address"],
  ["MISCONF", "it cannot write to its disk: free space there, and see its log"],
  ["OOM", "its memory is full: raise maxmemory, or take away what else is kept there"],
  ["LOADING", "it is reading its data from disk, and answers when it is done"],
  ["NOREPLICAS", "it has fewer replicas than min-replicas-to-write asks for"],
  ["MASTERDOWN", "this is a replica without its primary: give the primary's address"],
  ["MOVED", "this is a Redis Cluster: give the address of a server that is none"],
  ["WRONGTYPE", "another program uses keys with this prefix: choose another"],
]);

/** After these another connection may fare better: one to a new primary, or with the data loaded. */
const ENDS_CONNECTION: ReadonlySet<string> = new Set([
  "NOAUTH",
  "WRONGPASS",
  "READONLY",
  "LOADING",
  "MASTERDOWN",
]);

/** @returns the error for a call that failed; errors of ours pass unchanged */
export function redisError({
  operation,
  place,
  cause,
  secrets,
}: {
  readonly operation: string;
  readonly place: string;
  readonly cause: unknown;
  readonly secrets: readonly string[];
}): unknown {
  if (cause instanceof TypeError || (ClipperError.isInstance(cause) && !endsConnection(cause))) return cause;
  return new StoreUnavailableError({
    store: "redis",
    operation,
    cause: redacted(cause, secrets),
    ...hintFor(cause, place),
  });
}

function hintFor(cause: unknown, place: string): { readonly hint?: string } {
  const hint = StoreSettingsError.isInstance(cause)
    ? cause.hint
    : cause instanceof ErrorReply
      ? HINTS.get(firstWord(cause))
      : `look whether Redis answers at ${place}`;
  return hint === undefined ? {} : { hint };
}

/** Whether the connection is of no use after this. */
export function endsConnection(error: unknown): boolean {
  if (ClipperError.isInstance(error))
    return TimeoutError.isInstance(error) || StoreSettingsError.isInstance(error);
  return !(error instanceof ErrorReply) || ENDS_CONNECTION.has(firstWord(error));
}

function firstWord({ message }: Error): string {
  return /^-?([A-Z]+)\b/.exec(message)?.[1] ?? "";
}

/** Redis' own words without what it was given: it may repeat the arguments of a command it does not know. */
function redacted(cause: unknown, secrets: readonly string[]): unknown {
  if (!(cause instanceof Error) || ClipperError.isInstance(cause)) return cause;
  let message = cause.message.replace(/,? with args beginning with:.*$/s, "");
  for (const secret of secrets) message = message.replaceAll(secret, "[redacted]");
  if (message === cause.message) return cause;
  const clean = new Error(message);
  clean.name = cause.name;
  return clean;
}
