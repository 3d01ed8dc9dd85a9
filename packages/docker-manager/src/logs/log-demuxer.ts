import { brokenStream } from "../engine/engine-client.js";

export interface LogChunk {
  readonly stream: "stdout" | "stderr";
  readonly bytes: Buffer;
  /** Whether the chunk is all of one message of the engine; of a terminal nobody knows. */
  readonly isMessage: boolean;
}

const HEADER_BYTES = 8;
const STDERR = 2;

/**
 * Takes a container's log apart. Without a terminal the engine puts a header of eight bytes before each message: the stream, three zeros, the
 * length. With one there are no headers, and no second stream: which of both it is cannot be seen from the bytes.
 */
export class LogDemuxer {
  readonly #isTerminal: boolean;
  #rest: Buffer = Buffer.alloc(0);

  constructor({ isTerminal }: { readonly isTerminal: boolean }) {
    this.#isTerminal = isTerminal;
  }

  /** @throws EngineError `ENGINE_BROKEN_STREAM` for what is no header */
  push(bytes: Buffer): LogChunk[] {
    if (this.#isTerminal) return [{ stream: "stdout", bytes, isMessage: false }];
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const chunks: LogChunk[] = [];
    while (this.#rest.length >= HEADER_BYTES) {
      const kind = this.#rest[0]!;
      if (kind > STDERR || this.#rest.readUIntBE(1, 3) !== 0)
        throw brokenStream("logs", "has a wrong header");
      const end = HEADER_BYTES + this.#rest.readUInt32BE(4);
      if (this.#rest.length < end) break;
      const stream = kind === STDERR ? "stderr" : "stdout";
      chunks.push({ stream, bytes: this.#rest.subarray(HEADER_BYTES, end), isMessage: true });
      this.#rest = this.#rest.subarray(end);
    }
    return chunks;
  }

  /** @throws EngineError `ENGINE_BROKEN_STREAM` when the log ended within a message */
  end(): void {
    if (this.#rest.length > 0) throw brokenStream("logs", "ended within a message");
  }
}
