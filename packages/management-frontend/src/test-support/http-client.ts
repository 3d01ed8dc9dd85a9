import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import type { ErrorBody } from "@clipper-serving/spec";

export interface Sent {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The answer's JSON. */
  json<Shape = ErrorBody>(): Shape;
}

export interface Request {
  readonly method?: string;
  readonly path: string;
  /** An object goes as JSON; a string as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request on a connection of its own, with exactly the headers given. */
export function send(url: string, { method = "GET", path, body, headers = {} }: Request): Promise<Sent> {
  const bytes = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: hostname,
        port,
        method,
        path,
        agent: false,
        headers: {
          ...(bytes === undefined
            ? {}
            : { "content-type": "application/json", "content-length": String(Buffer.byteLength(bytes)) }),
          ...headers,
        },
      },
      async (response) => {
        let text = "";
        for await (const chunk of response.setEncoding("utf8")) text += chunk;
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          text,
          json: <Shape>() => JSON.parse(text) as Shape,
        });
      },
    );
    request.on("error", reject);
    request.end(bytes);
  });
}

/** Sends bytes as they are, and resolves with what came back once the server closes. */
export function sendRaw(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", reject).on("close", () => resolve(text));
  });
}
