import { malformed } from "./malformed.js";

/** Bytes that frames are read from. Whoever reads checks bounds first. */
export class ByteSource {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(bytes: Uint8Array) {
    // Of Node's Buffer, `slice` is a view; of a plain Uint8Array it is a copy, and fast.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u16(offset: number): number {
    return this.view.getUint16(offset, true);
  }

  u32(offset: number): number {
    return this.view.getUint32(offset, true);
  }

  /** @throws ProtocolError when it is 2⁵³ or more */
  u64(offset: number, what: string): number {
    const high = this.view.getUint32(offset + 4, true);
    if (high > 0x1f_ffff) throw malformed(`${what} is 2^53 or more`);
    return high * 0x1_0000_0000 + this.view.getUint32(offset, true);
  }

  /**
   * Bytes that outlive the frame. A cache may keep a small output for hours, so it must not keep a read buffer of 64 KiB
   * alive for it: bytes are a view only when they are at least a quarter of the buffer they would keep, else a copy.
   */
  keep(start: number, end: number): Uint8Array {
    const length = end - start;
    if (length * 4 >= this.bytes.buffer.byteLength) return this.bytes.subarray(start, end);
    return this.bytes.slice(start, end);
  }
}
