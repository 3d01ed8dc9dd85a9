import { InvalidArgumentError } from "@clipper-serving/spec";
import { FrameBuffer } from "./frame-buffer.js";
import type { CancelFrame, Frame, PredictFrame, ResultFrame } from "./frames.js";
import { headerFields } from "./header-fields.js";
import { checkId, ItemsWriter } from "./items-writer.js";
import {
  COUNT_BYTES,
  FRAME_TYPE,
  HEAD_BYTES,
  LENGTH_BYTES,
  MAX_FRAME_LENGTH,
  MAY_IGNORE,
  padded,
  TAG,
} from "./wire-format.js";

/** queue, service and batch-size with their tags and lengths. */
const RESULT_HEADER_BYTES = 32;

/** Writes frames. One encoder serves one connection after another frame; it remembers nothing that changes what it writes. */
export class FrameEncoder {
  readonly #items = new ItemsWriter();

  /**
   * @param maxFrameBytes largest frame length the receiver takes
   * @returns the frame in chunks to be written one after another. Big data of payloads are among them as they are: they must not
   *   be written to until the chunks are sent
   * @throws InvalidArgumentError when the wire, or the receiver, cannot carry the frame
   */
  encode(frame: Frame, maxFrameBytes = MAX_FRAME_LENGTH): Uint8Array[] {
    switch (frame.type) {
      case "PREDICT":
        return this.#predict(frame, maxFrameBytes);
      case "RESULT":
        return this.#result(frame, maxFrameBytes);
      case "CANCEL":
        return cancel(frame, maxFrameBytes);
      default: {
        const header = headerFields(frame);
        const bytes = HEAD_BYTES + header.byteLength;
        const buffer = begin(frame, bytes, bytes, header.byteLength, maxFrameBytes);
        buffer.copy(header);
        return buffer.chunks();
      }
    }
  }

  #predict(frame: PredictFrame, maxFrameBytes: number): Uint8Array[] {
    const { total, copied } = this.#items.measurePredict(frame.items);
    const buffer = begin(frame, HEAD_BYTES + total, HEAD_BYTES + copied, 0, maxFrameBytes);
    this.#items.writePredict(frame.items, buffer);
    return buffer.chunks();
  }

  #result(frame: ResultFrame, maxFrameBytes: number): Uint8Array[] {
    const { total, copied } = this.#items.measureResult(frame.items);
    const before = HEAD_BYTES + RESULT_HEADER_BYTES;
    const buffer = begin(frame, before + total, before + copied, RESULT_HEADER_BYTES, maxFrameBytes);
    writeU64Field(buffer, TAG.queue, frame.queueMicros);
    writeU64Field(buffer, TAG.service, frame.serviceMicros);
    buffer.u16(TAG.batchSize);
    buffer.u16(4);
    buffer.u32(frame.batchSize);
    this.#items.writeResult(frame.items, buffer);
    return buffer.chunks();
  }
}

function cancel(frame: CancelFrame, maxFrameBytes: number): Uint8Array[] {
  const bytes = padded(HEAD_BYTES) + COUNT_BYTES + 8 * frame.ids.length;
  const buffer = begin(frame, bytes, bytes, 0, maxFrameBytes);
  buffer.u32(frame.ids.length);
  buffer.u32(0);
  for (const id of frame.ids) buffer.u64(checkId(id));
  return buffer.chunks();
}

function begin(
  frame: Frame,
  totalBytes: number,
  copiedBytes: number,
  headerBytes: number,
  maxFrameBytes: number,
): FrameBuffer {
  const length = totalBytes - LENGTH_BYTES;
  if (length > maxFrameBytes) {
    throw new InvalidArgumentError({
      argument: `a ${frame.type} frame`,
      value: `${length} bytes`,
      expected: `at most ${maxFrameBytes} bytes`,
    });
  }
  const buffer = new FrameBuffer(copiedBytes);
  buffer.u32(length);
  buffer.u8(FRAME_TYPE[frame.type]);
  buffer.u8(frame.mayIgnore ? MAY_IGNORE : 0);
  buffer.u16(headerBytes);
  buffer.u64(checkId(frame.id));
  return buffer;
}

function writeU64Field(buffer: FrameBuffer, tag: number, value: number): void {
  buffer.u16(tag);
  buffer.u16(8);
  buffer.u64(checkId(value));
}
