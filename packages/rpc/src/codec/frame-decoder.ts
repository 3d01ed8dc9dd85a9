import { ByteSource } from "./byte-source.js";
import { FrameReader } from "./frame-reader.js";
import type { Frame } from "./frames.js";
import { malformed } from "./malformed.js";
import { LENGTH_BYTES, MAX_FRAME_LENGTH, MIN_FRAME_LENGTH } from "./wire-format.js";

export interface FrameDecoderOptions {
  /** Largest frame length taken, bytes; default and most 64 MiB. */
  readonly maxFrameBytes?: number;
}

/** What a half frame is given at first; more only as bytes come, so that a claimed length costs nothing. */
const FIRST_PIECE_BYTES = 16_384;

/**
 * Frames out of a stream of bytes, cut wherever the transport cut it.
 * A frame that lies in one chunk is read where it is; a frame in several is put together in memory that grows with what has come,
 * never past the frame. The bytes of a chunk may be referred to by the frames, so a chunk is not to be written to again.
 * After a ProtocolError the decoder is of no more use.
 */
export class FrameDecoder {
  readonly #maxFrameBytes: number;
  readonly #reader = new FrameReader();
  /** The beginning of a frame that has not wholly come, and how many of its bytes are here. */
  #piece = new Uint8Array();
  #pieceBytes = 0;

  constructor({ maxFrameBytes = MAX_FRAME_LENGTH }: FrameDecoderOptions = {}) {
    this.#maxFrameBytes = Math.min(maxFrameBytes, MAX_FRAME_LENGTH);
  }

  /** Whether a frame has begun and not ended. */
  get midFrame(): boolean {
    return this.#pieceBytes > 0;
  }

  /**
   * @param onFrame called for each frame that is now whole, in order
   * @throws ProtocolError, after the frames before the bad one were handed over; and what `onFrame` throws
   */
  push(chunk: Uint8Array, onFrame: (frame: Frame) => void): void {
    let offset = 0;
    if (this.#pieceBytes > 0) {
      offset = this.#completePiece(chunk, onFrame);
      if (this.#pieceBytes > 0) return;
    }
    if (offset < chunk.byteLength) this.#readWhole(new ByteSource(chunk), offset, onFrame);
  }

  #readWhole(source: ByteSource, start: number, onFrame: (frame: Frame) => void): void {
    const end = source.bytes.byteLength;
    let offset = start;
    while (end - offset >= LENGTH_BYTES) {
      const next = offset + LENGTH_BYTES + this.#checkedLength(source.u32(offset));
      if (next > end) break;
      this.#hand(this.#reader.read(source, offset, next), onFrame);
      offset = next;
    }
    if (offset < end) this.#beginPiece(source.bytes, offset);
  }

  #beginPiece(bytes: Uint8Array, offset: number): void {
    this.#piece = new Uint8Array(LENGTH_BYTES);
    this.#append(bytes, offset);
  }

  /** @returns how many bytes of the chunk belonged to the piece */
  #completePiece(chunk: Uint8Array, onFrame: (frame: Frame) => void): number {
    const taken = this.#append(chunk, 0);
    if (this.#pieceBytes === this.#pieceWants()) {
      const source = new ByteSource(this.#piece);
      const end = this.#pieceBytes;
      this.#piece = new Uint8Array();
      this.#pieceBytes = 0;
      this.#hand(this.#reader.read(source, 0, end), onFrame);
    }
    return taken;
  }

  /** Takes what the piece still wants: first its length, then as much as that says. */
  #append(bytes: Uint8Array, start: number): number {
    let offset = start;
    while (offset < bytes.byteLength && this.#pieceBytes < this.#pieceWants()) {
      const wanted = this.#pieceWants() - this.#pieceBytes;
      const take = Math.min(wanted, bytes.byteLength - offset);
      this.#makeRoom(take);
      this.#piece.set(bytes.subarray(offset, offset + take), this.#pieceBytes);
      this.#pieceBytes += take;
      offset += take;
    }
    return offset - start;
  }

  #pieceWants(): number {
    if (this.#pieceBytes < LENGTH_BYTES) return LENGTH_BYTES;
    return LENGTH_BYTES + this.#checkedLength(new DataView(this.#piece.buffer).getUint32(0, true));
  }

  #makeRoom(more: number): void {
    const needed = this.#pieceBytes + more;
    if (needed <= this.#piece.byteLength) return;
    const grown = Math.max(needed, 2 * this.#piece.byteLength, FIRST_PIECE_BYTES);
    const piece = new Uint8Array(Math.min(grown, this.#pieceWants()));
    piece.set(this.#piece.subarray(0, this.#pieceBytes));
    this.#piece = piece;
  }

  #checkedLength(length: number): number {
    if (length < MIN_FRAME_LENGTH || length > this.#maxFrameBytes) {
      throw malformed(`a frame's length is ${length}, not ${MIN_FRAME_LENGTH} to ${this.#maxFrameBytes}`, {
        length,
      });
    }
    return length;
  }

  #hand(frame: Frame | undefined, onFrame: (frame: Frame) => void): void {
    if (frame !== undefined) onFrame(frame);
  }
}
