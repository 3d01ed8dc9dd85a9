import type { Attempt, BatchResult } from "@clipper-serving/spec";
import { InvalidArgumentError } from "@clipper-serving/spec";
import type { Frame, PredictFrame, ResultFrame, ResultItem } from "../codec/frames.js";
import { malformed } from "../codec/malformed.js";
import type { FrameConnection } from "./frame-connection.js";

/** A batch as a replica gets it. */
export interface ReplicaBatch {
  /** What the answers repeat. */
  readonly id: number;
  readonly items: readonly Attempt[];
}

export interface ReplicaSessionEvents {
  readonly batch: (batch: ReplicaBatch) => void;
  readonly cancel: (ids: readonly number[]) => void;
  /** The frontend wants the process to end itself. */
  readonly recycle: (text: string) => void;
  /** The frontend goes. */
  readonly draining: (text: string) => void;
  /** Every frontend to hold connections to. */
  readonly peers: (addresses: readonly string[]) => void;
  readonly closed: (reason: string) => void;
}

/** A replica's end of a link: both connections, welcomed. It decides nothing. */
export class ReplicaSession {
  readonly #data: FrameConnection;
  readonly #control: FrameConnection;
  #events: ReplicaSessionEvents | undefined;
  #isOpen = true;

  constructor({ data, control }: { data: FrameConnection; control: FrameConnection }) {
    this.#data = data;
    this.#control = control;
  }

  /** Called once. What came before is told now. */
  listen(events: ReplicaSessionEvents): void {
    this.#events = events;
    const closed = (reason: string): void => this.close(reason);
    this.#control.handOver({ frame: (frame) => this.#receiveControl(frame), closed });
    this.#data.handOver({ frame: (frame) => this.#receiveData(frame), closed });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Answers some items of a batch. An output that the frontend cannot take becomes `bad_output`.
   * @param result its outcomes are sent in as many frames as they need
   */
  answer(batchId: number, result: BatchResult): void {
    const { queueMicros, serviceMicros, batchSize, outcomes } = result;
    if (outcomes.length === 0) return;
    const items = outcomes.map(
      (outcome): ResultItem =>
        outcome.ok
          ? { id: outcome.id, status: "ok", output: outcome.output }
          : { id: outcome.id, status: "error", kind: outcome.kind, message: outcome.message },
    );
    this.#answerWhatFits({
      type: "RESULT",
      id: batchId,
      mayIgnore: false,
      queueMicros,
      serviceMicros,
      batchSize,
      items,
    });
  }

  beat(ageMicros: number, queueDepth: number): void {
    this.#control.send({ type: "BEAT", id: 0, mayIgnore: false, ageMicros, queueDepth });
  }

  /** Asks for no more batches. */
  drain(text: string): void {
    this.#control.send({ type: "DRAIN", id: 0, mayIgnore: false, text });
  }

  /** Closes once what was answered has left. */
  end(reason: string): void {
    this.#data.end(reason);
    this.#control.end(reason);
  }

  close(reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#data.close(reason);
    this.#control.close(reason);
    this.#events?.closed(reason);
  }

  #answerWhatFits(frame: ResultFrame): void {
    try {
      this.#data.send(frame);
    } catch (error) {
      if (!InvalidArgumentError.isInstance(error)) throw error;
      const { items } = frame;
      const [only] = items;
      if (items.length === 1 && only !== undefined) {
        const refused: ResultItem = {
          id: only.id,
          status: "error",
          kind: "bad_output",
          message: error.message,
        };
        this.#data.send({ ...frame, items: [refused] });
        return;
      }
      const half = Math.ceil(items.length / 2);
      this.#answerWhatFits({ ...frame, items: items.slice(0, half) });
      this.#answerWhatFits({ ...frame, items: items.slice(half) });
    }
  }

  #receiveData(frame: Frame): void {
    if (frame.type === "PREDICT") this.#receiveBatch(frame);
    else if (frame.type === "REJECT") this.close(rejection(frame));
    else throw malformed(`a frontend sent ${frame.type} on data`);
  }

  #receiveBatch({ id, items }: PredictFrame): void {
    this.#events?.batch({ id, items });
  }

  #receiveControl(frame: Frame): void {
    switch (frame.type) {
      case "PING":
        this.#control.send({ type: "PONG", id: frame.id, mayIgnore: false });
        break;
      case "PONG":
        break;
      case "CANCEL":
        this.#events?.cancel(frame.ids);
        break;
      case "PEERS":
        this.#events?.peers(frame.addresses);
        break;
      case "DRAIN":
        this.#events?.draining(frame.text);
        break;
      case "RECYCLE":
        this.#events?.recycle(frame.text);
        break;
      case "REJECT":
        this.close(rejection(frame));
        break;
      default:
        throw malformed(`a frontend sent ${frame.type} on control`);
    }
  }
}

function rejection({ reason, text }: { reason: string; text: string }): string {
  return `rejected for ${reason}: ${text}`;
}
