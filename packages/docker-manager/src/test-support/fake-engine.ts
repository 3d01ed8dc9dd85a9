import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface FakeEngineOptions {
  /** What it says on `/version`. */
  readonly version?: object;
  /** By the path's beginning, without the version: `/images/load`. */
  readonly answers?: Readonly<Record<string, Answer>>;
  /** Where it listens. Default: a socket of its own. */
  readonly socket?: string;
}

/** As Docker 20.10 says it. */
const DEBIAN_VERSION = {
  Version: "20.10.24+dfsg1",
  ApiVersion: "1.41",
  MinAPIVersion: "1.12",
  Os: "linux",
  Arch: "amd64",
  Components: [
    { Name: "Engine", Version: "20.10.24+dfsg1" },
    { Name: "containerd", Version: "1.6.20~ds1" },
  ],
} as const;

/** An engine of a test's own making, which answers as it is told, also wrongly. */
export class FakeEngine implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), "fe-"));
  readonly socket: string;
  /** Path and query of each request, in order. */
  readonly requests: string[] = [];
  /** How many were made to it so far. */
  connections = 0;
  readonly #server: Server;

  private constructor({ version = DEBIAN_VERSION, answers = {}, socket }: FakeEngineOptions) {
    this.socket = socket ?? join(this.directory, "engine.sock");
    this.#server = createServer((request, response) => {
      const path = request.url!.replace(/^\/v\d\.\d+\//, "/");
      this.requests.push(request.url!);
      const answer = Object.entries(answers).find(([start]) => path.startsWith(start))?.[1];
      if (answer !== undefined) answer(request, response);
      else if (path.startsWith("/version")) response.end(JSON.stringify(version));
      else response.writeHead(404).end(JSON.stringify({ message: `page not found: ${path}` }));
    });
    this.#server.on("connection", () => {
      this.connections += 1;
    });
  }

  static async start(options: FakeEngineOptions = {}): Promise<FakeEngine> {
    const engine = new FakeEngine(options);
    await new Promise<void>((resolve) => engine.#server.listen(engine.socket, resolve));
    return engine;
  }

  /** As an engine does that is started again. */
  async endConnections(): Promise<void> {
    const count = promisify(this.#server.getConnections.bind(this.#server));
    this.#server.closeAllConnections();
    while ((await count()) > 0) await setImmediate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
    rmSync(this.directory, { recursive: true });
  }
}
