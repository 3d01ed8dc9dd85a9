import type { Clock } from "@clipper-serving/spec";
import { ProtocolError } from "@clipper-serving/spec";
import { FrameDecoder } from "../codec/frame-decoder.js";
import { FrameEncoder } from "../codec/frame-encoder.js";
import type { Frame, RejectReason } from "../codec/frames.js";
import { MAX_FRAME_LENGTH } from "../codec/wire-format.js";
import type { BytePipe } from "./byte-pipe.js";
import { HALF_FRAME_SILENCE_MICROS } from "./protocol-times.js";

export interface FrameConnectionOptions {
  readonly pipe: BytePipe;
  readonly clock: Clock;
  /** Largest frame length taken. */
  readonly maxFrameBytes: number;
  /** Bytes that may wait to be sent; more closes the connection. */
  readonly maxUnsentBytes: number;
  /** Told whenever this end sends REJECT. */
  readonly onRejecting?: ((reason: RejectReason, text: string) => void) | undefined;
}

export interface FrameConnectionEvents {
  /** A ProtocolError thrown from here is answered as one that the decoder threw. */
  readonly frame: (frame: Frame) => void;
  /** Told once, whichever end closed. */
  readonly closed: (reason: string) => void;
}

/** Frames to and from one peer: guards what every connection must, and knows nothing of what the frames mean. */
export class FrameConnection {
  readonly peer: string;
  readonly #pipe: BytePipe;
  readonly #clock: Clock;
  readonly #maxUnsentBytes: number;
  readonly #onRejecting: FrameConnectionOptions["onRejecting"];
  readonly #decoder: FrameDecoder;
  readonly #encoder = new FrameEncoder();
  #events: FrameConnectionEvents;
  #held: ((events: FrameConnectionEvents) => void)[] = [];
  #open = true;
  #maxSentFrameBytes = MAX_FRAME_LENGTH;
  #lastDataMicros: number;
  #callOffHalfFrame: (() => void) | undefined;

  constructor(
    { pipe, clock, maxFrameBytes, maxUnsentBytes, onRejecting }: FrameConnectionOptions,
    events: FrameConnectionEvents,
  ) {
    this.peer = pipe.peer;
    this.#pipe = pipe;
    this.#clock = clock;
    this.#maxUnsentBytes = maxUnsentBytes;
    this.#onRejecting = onRejecting;
    this.#decoder = new FrameDecoder({ maxFrameBytes });
    this.#events = events;
    this.#lastDataMicros = clock.nowMicros();
    pipe.listen({ data: (chunk) => this.#receive(chunk), close: (reason) => this.#finish(reason) });
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Keeps what comes from now on for whoever is handed the connection. */
  hold(): void {
    const held: ((events: FrameConnectionEvents) => void)[] = [];
    this.#held = held;
    this.#events = {
      frame: (frame) => held.push((events) => events.frame(frame)),
      closed: (reason) => held.push((events) => events.closed(reason)),
    };
  }

  /** Whoever listened before hears nothing more. */
  handOver(events: FrameConnectionEvents): void {
    this.#events = events;
    const held = this.#held;
    this.#held = [];
    this.#guard(() => {
      for (const tell of held) tell(events);
    });
  }

  /** The peer takes no longer frames than this. */
  limitSentFrames(maxFrameBytes: number): void {
    this.#maxSentFrameBytes = Math.min(maxFrameBytes, MAX_FRAME_LENGTH);
  }

  /** @throws InvalidArgumentError when the wire, or the peer, cannot carry the frame; nothing was sent then */
  send(frame: Frame): void {
    if (!this.#open) return;
    this.#pipe.write(this.#encoder.encode(frame, this.#maxSentFrameBytes));
    if (this.#pipe.unsentBytes > this.#maxUnsentBytes) {
      this.close(`the peer does not read: over ${this.#maxUnsentBytes} bytes wait to be sent`);
    }
  }

  /** Says why, and closes. */
  reject(reason: RejectReason, text: string): void {
    if (!this.#open) return;
    this.#onRejecting?.(reason, text);
    this.send({ type: "REJECT", id: 0, mayIgnore: false, reason, text });
    this.end(`rejected for ${reason}: ${text}`);
  }

  /** Closes once what was sent has left. */
  end(reason: string): void {
    if (!this.#open) return;
    this.#pipe.end();
    this.#finish(reason);
  }

  /** Closes at once. */
  close(reason: string): void {
    if (!this.#open) return;
    this.#pipe.destroy();
    this.#finish(reason);
  }

  #receive(chunk: Uint8Array): void {
    if (!this.#open) return;
    this.#lastDataMicros = this.#clock.nowMicros();
    this.#guard(() =>
      this.#decoder.push(chunk, (frame) => {
        if (this.#open) this.#events.frame(frame);
      }),
    );
    if (this.#open && this.#decoder.midFrame) this.#watchHalfFrame(HALF_FRAME_SILENCE_MICROS);
  }

  #guard(receive: () => void): void {
    try {
      receive();
    } catch (error) {
      if (!ProtocolError.isInstance(error)) throw error;
      this.reject("protocol", error.message);
    }
  }

  /** One timer at a time, set again only when it fires: a big frame comes in many pieces. */
  #watchHalfFrame(delayMicros: number): void {
    this.#callOffHalfFrame ??= this.#clock.after(delayMicros, () => {
      this.#callOffHalfFrame = undefined;
      if (!this.#decoder.midFrame) return;
      const leftMicros = this.#lastDataMicros + HALF_FRAME_SILENCE_MICROS - this.#clock.nowMicros();
      if (leftMicros > 0) this.#watchHalfFrame(leftMicros);
      else this.close("a frame began and did not go on");
    });
  }

  #finish(reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#callOffHalfFrame?.();
    this.#events.closed(reason);
  }
}
