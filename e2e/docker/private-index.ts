import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

const WHEEL = "private_answers-1.0-py3-none-any.whl";

/** Writes a wheel with one module. */
const makeWheel = `
import sys, zipfile
info = "private_answers-1.0.dist-info/"
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    wheel.writestr("private_answers.py", "VALUE = 42\\n")
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: private-answers\\nVersion: 1.0\\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(info + "RECORD", "private_answers.py,,\\n" + info + "METADATA,,\\n" + info + "WHEEL,,\\n" + info + "RECORD,,\\n")
`;

/** A package index that only those who have its token may read: it has one package, `private-answers`. */
export class PrivateIndex implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), "clp-index-"));
  readonly #server: Server;
  readonly #token: string;
  downloads = 0;

  private constructor(token: string) {
    this.#token = token;
    execFileSync("python3", ["-c", makeWheel, join(this.#directory, WHEEL)]);
    writeFileSync(this.lock, "private-answers==1.0\n");
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(token: string): Promise<PrivateIndex> {
    const index = new PrivateIndex(token);
    index.#server.listen(0, "127.0.0.1");
    await once(index.#server, "listening");
    return index;
  }

  /** With the token in it, as people write it into their settings. */
  get url(): string {
    const { port } = this.#server.address() as { port: number };
    return `http://token:${this.#token}@127.0.0.1:${port}/simple/`;
  }

  /** A lock that needs the package. */
  get lock(): string {
    return join(this.#directory, "lock.txt");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #answer({ url, headers }: IncomingMessage, response: ServerResponse): void {
    const expected = `Basic ${Buffer.from(`token:${this.#token}`).toString("base64")}`;
    if (headers.authorization !== expected) {
      response.writeHead(401, { "www-authenticate": "Basic" }).end();
    } else if (url === "/simple/private-answers/") {
      response.setHeader("content-type", "text/html");
      response.end(`<a href="/files/${WHEEL}">${WHEEL}</a>`);
    } else if (url === `/files/${WHEEL}`) {
      this.downloads += 1;
      response.end(readFileSync(join(this.#directory, WHEEL)));
    } else {
      response.writeHead(404).end();
    }
  }
}
