import type { Socket } from "node:net";
import type { ErrorBody } from "@clipper-serving/spec";

// Imported, the module would evaluate every export it has, one of which loads a whole WebSocket client: 50 ms of each start.
const { STATUS_CODES } = process.getBuiltinModule("node:http");

const STATUS_OF: ReadonlyMap<string | undefined, number> = new Map([
  ["HPE_HEADER_OVERFLOW", 431],
  ["ERR_HTTP_REQUEST_TIMEOUT", 408],
]);

/** Answers bytes that are no request, and closes: what follows them cannot be told apart. */
export function refuseBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = STATUS_OF.get(error.code) ?? 400;
  const body: ErrorBody = {
    error: STATUS_CODES[status]!,
    cause:
      status === 408 ? "the request did not come in time" : "this is not an HTTP request that is understood",
    code: status === 408 ? "REQUEST_TIMEOUT" : "BAD_REQUEST",
  };
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
}
