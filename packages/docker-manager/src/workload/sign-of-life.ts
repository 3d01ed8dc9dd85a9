import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, readlinkSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { hostname } from "node:os";

const ANSWER_TIMEOUT_MS = 1_000;

/**
 * Tells other processes of this machine that some work is still going on, from its beginning to its end, whichever way it ends: a port on loopback that
 * says a word. Numbers of processes would tell less, because a process outlives its work, and its number outlives the process.
 */
export class SignOfLife implements AsyncDisposable {
  /** By which others look for it. */
  readonly text: string;
  readonly #server: Server;

  private constructor(server: Server, text: string) {
    this.#server = server;
    this.text = text;
  }

  static async give(): Promise<SignOfLife> {
    const word = randomBytes(16).toString("hex");
    const server = createServer((socket) => {
      // Whoever asked may be gone before it is answered.
      socket.on("error", () => undefined);
      socket.end(word);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    server.unref();
    const { port } = server.address() as AddressInfo;
    return new SignOfLife(server, JSON.stringify({ place: placeHere(), port, word }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }
}

/** @returns undefined where it cannot be told: another machine's, or one that does not answer in time */
export async function isAlive(text: string | undefined): Promise<boolean | undefined> {
  const sign = parse(text);
  if (sign === undefined) return false;
  if (sign.place !== placeHere()) return undefined;
  const said = await ask(sign.port);
  return said === undefined ? undefined : said === sign.word;
}

/** @returns what is said there, nothing where nobody is; undefined when no end comes */
function ask(port: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  let said = "";
  const socket = connect({ host: "127.0.0.1", port });
  socket.setEncoding("latin1").setTimeout(ANSWER_TIMEOUT_MS, () => {
    resolve(undefined);
    socket.destroy();
  });
  socket.on("data", (part: string) => {
    said += part;
  });
  socket.on("error", () => undefined);
  socket.on("close", () => resolve(said));
  return promise;
}

function parse(
  text: string | undefined,
): { readonly place: string; readonly port: number; readonly word: string } | undefined {
  try {
    const { place, port, word } = JSON.parse(text ?? "null") as Record<string, unknown>;
    const isSign =
      typeof place === "string" && Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536;
    return isSign && typeof word === "string" ? { place, port: Number(port), word } : undefined;
  } catch {
    // Labels can be written by anybody.
    return undefined;
  }
}

/** Where one loopback is: a machine since it was started, and a network of its own on it. */
function placeHere(): string {
  const boot = attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
  const network = attempt(() => readlinkSync("/proc/self/ns/net"));
  return [hostname(), boot, network].join(" ");
}

/** Empty where the system does not tell. */
function attempt(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
