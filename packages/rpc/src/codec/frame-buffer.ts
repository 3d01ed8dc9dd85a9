/** From this size on a part's data are referred to instead of copied: a copy costs less than one more piece to write. */
const REFERRED_BYTES = 16_384;

/** Whether a part's data become a chunk of their own. */
export function isReferred(byteLength: number): boolean {
  return byteLength >= REFERRED_BYTES;
}

/** One frame being written: memory for all that is copied, and chunks where big data are referred to. */
export class FrameBuffer {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #chunks: Uint8Array[] = [];
  #offset = 0;
  #chunkStart = 0;

  /** @param copiedBytes the frame's size without what is referred to */
  constructor(copiedBytes: number) {
    this.#bytes = Buffer.allocUnsafe(copiedBytes);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, copiedBytes);
  }

  u8(value: number): void {
    this.#bytes[this.#offset++] = value;
  }

  u16(value: number): void {
    this.#view.setUint16(this.#offset, value, true);
    this.#offset += 2;
  }

  u32(value: number): void {
    this.#view.setUint32(this.#offset, value, true);
    this.#offset += 4;
  }

  /** @param value a whole number below 2⁵³ */
  u64(value: number): void {
    this.#view.setUint32(this.#offset, value % 0x1_0000_0000, true);
    this.#view.setUint32(this.#offset + 4, value / 0x1_0000_0000, true);
    this.#offset += 8;
  }

  copy(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#offset);
    this.#offset += bytes.byteLength;
  }

  refer(bytes: Uint8Array): void {
    this.#chunks.push(this.#bytes.subarray(this.#chunkStart, this.#offset), bytes);
    this.#chunkStart = this.#offset;
  }

  /** Zeros after `length` bytes, up to a multiple of 8. */
  pad(length: number): void {
    const end = this.#offset + ((8 - (length % 8)) % 8);
    while (this.#offset < end) this.#bytes[this.#offset++] = 0;
  }

  /** @returns the frame, in order; empty chunks left out */
  chunks(): Uint8Array[] {
    if (this.#chunks.length === 0) return [this.#bytes];
    if (this.#chunkStart < this.#offset) this.#chunks.push(this.#bytes.subarray(this.#chunkStart));
    return this.#chunks;
  }
}
