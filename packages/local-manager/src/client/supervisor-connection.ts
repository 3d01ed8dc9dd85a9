import { createConnection, type Socket } from "node:net";
import { ManagerError, parseAddress } from "@clipper-serving/spec";
import { readJsonFile } from "../json-file.js";
import { isAlive } from "../process-identity.js";
import type {
  SupervisorCalls,
  SupervisorFile,
  SupervisorMethod,
  SupervisorReply,
  SupervisorRequest,
} from "../protocol.js";
import { fromWireError, MANAGER } from "../wire-error.js";

/** The supervisor went away, or was not there: what was asked for may or may not have been done. */
export class SupervisorGoneError extends ManagerError {
  constructor(cause?: unknown) {
    super({
      manager: MANAGER,
      code: "SUPERVISOR_GONE",
      message: "the cluster's supervisor has ended",
      cause,
    });
  }
}

/** @returns where the supervisor listens, or undefined when none lives */
export function readSupervisorFile(path: string): SupervisorFile | undefined {
  const file = readJsonFile(path) as SupervisorFile | undefined;
  return file?.formatVersion === 1 && isAlive(file) ? file : undefined;
}

export interface SupervisorAnswer<Method extends SupervisorMethod> {
  readonly result: SupervisorCalls[Method]["result"];
  readonly isEnding: boolean;
}

export interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onItem?: () => void;
}

/**
 * Asks one question.
 * @throws SupervisorGoneError when there was no answer
 */
export async function ask<Method extends SupervisorMethod>(
  supervisor: SupervisorFile,
  method: Method,
  params: SupervisorCalls[Method]["params"],
  { signal, onItem }: AskOptions = {},
): Promise<SupervisorAnswer<Method>> {
  const socket = connect(supervisor);
  const stop = (): void => void socket.destroy();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const request: SupervisorRequest<Method> = { token: supervisor.token, method, params };
    socket.write(`${JSON.stringify(request)}\n`);
    for await (const reply of replies(socket)) {
      if ("item" in reply) onItem?.();
      else if ("error" in reply) throw fromWireError(reply.error);
      else
        return { result: reply.result as SupervisorCalls[Method]["result"], isEnding: reply.ending === true };
    }
    signal?.throwIfAborted();
    throw new SupervisorGoneError();
  } finally {
    signal?.removeEventListener("abort", stop);
    socket.destroy();
  }
}

function connect({ address }: SupervisorFile): Socket {
  const target = parseAddress(address);
  if (target === undefined) throw new SupervisorGoneError();
  return createConnection(
    target.kind === "unix" ? { path: target.path } : { host: target.host, port: target.port },
  );
}

async function* replies(socket: Socket): AsyncIterable<SupervisorReply> {
  let text = "";
  socket.setEncoding("utf8");
  try {
    for await (const chunk of socket as AsyncIterable<string>) {
      text += chunk;
      const lines = text.split("\n");
      text = lines.pop()!;
      for (const line of lines) yield JSON.parse(line) as SupervisorReply;
    }
  } catch (error) {
    // Refused, reset, or called off by us: `ask` tells which.
    if (error instanceof Error && "code" in error) return;
    throw error;
  }
}
