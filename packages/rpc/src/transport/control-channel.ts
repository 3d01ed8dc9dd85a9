import type { Clock } from "@clipper-serving/spec";
import type { Frame } from "../codec/frames.js";
import { malformed } from "../codec/malformed.js";
import type { FrameConnection } from "./frame-connection.js";
import { CONTROL_SILENCE_MICROS } from "./protocol-times.js";

export interface ControlEvents {
  readonly beat: (ageMicros: number) => void;
  readonly draining: () => void;
  readonly closed: (reason: string) => void;
}

/** A replica sends about one frame a second; so many are an attack or a bug. */
const MAX_FRAMES_PER_SECOND = 1000;
const SECOND_MICROS = 1_000_000;

/** A frontend's control connection to one replica, from WELCOME on: liveness, PING, and what the replica says of itself. */
export class ControlChannel {
  readonly #connection: FrameConnection;
  readonly #clock: Clock;
  #events: ControlEvents | undefined;
  #heardMicros: number;
  #isDraining = false;
  #secondBegan: number;
  #framesThisSecond = 0;
  #nextPingId = 1;
  readonly #pings = new Map<number, (answered: boolean) => void>();
  #callOffSilence: () => void = () => {};
  readonly #onClosed: (reason: string) => void;

  /** @param onClosed told before anybody who listens */
  constructor(connection: FrameConnection, clock: Clock, onClosed: (reason: string) => void) {
    this.#connection = connection;
    this.#clock = clock;
    this.#onClosed = onClosed;
    this.#heardMicros = clock.nowMicros();
    this.#secondBegan = this.#heardMicros;
    connection.handOver({
      frame: (frame) => this.#receive(frame),
      closed: (reason) => this.#closed(reason),
    });
    this.#watchSilence(CONTROL_SILENCE_MICROS);
  }

  listen(events: ControlEvents): void {
    this.#events = events;
    if (this.#isDraining) events.draining();
  }

  send(frame: Frame): void {
    this.#connection.send(frame);
  }

  /** @returns whether the replica answered in time; false also when the connection closes first */
  ping(timeoutMicros: number): Promise<boolean> {
    if (!this.#connection.isOpen) return Promise.resolve(false);
    const id = this.#nextPingId++;
    return new Promise((resolve) => {
      const callOff = this.#clock.after(timeoutMicros, () => this.#settlePing(id, false));
      this.#pings.set(id, (answered) => {
        callOff();
        resolve(answered);
      });
      this.send({ type: "PING", id, mayIgnore: false });
    });
  }

  end(reason: string): void {
    this.#connection.end(reason);
  }

  close(reason: string): void {
    this.#connection.close(reason);
  }

  #receive(frame: Frame): void {
    this.#heardMicros = this.#clock.nowMicros();
    if (!this.#isWithinRate()) {
      this.#connection.reject("limit", `over ${MAX_FRAMES_PER_SECOND} control frames in a second`);
      return;
    }
    switch (frame.type) {
      case "BEAT":
        this.#events?.beat(frame.ageMicros);
        break;
      case "PING":
        this.send({ type: "PONG", id: frame.id, mayIgnore: false });
        break;
      case "PONG":
        this.#settlePing(frame.id, true);
        break;
      case "DRAIN":
        if (this.#isDraining) break;
        this.#isDraining = true;
        this.#events?.draining();
        break;
      case "REJECT":
        this.#connection.close(`the replica rejected the connection for ${frame.reason}: ${frame.text}`);
        break;
      default:
        throw malformed(`a replica sent ${frame.type} on control`);
    }
  }

  #isWithinRate(): boolean {
    if (this.#heardMicros - this.#secondBegan >= SECOND_MICROS) {
      this.#secondBegan = this.#heardMicros;
      this.#framesThisSecond = 0;
    }
    this.#framesThisSecond += 1;
    return this.#framesThisSecond <= MAX_FRAMES_PER_SECOND;
  }

  #settlePing(id: number, answered: boolean): void {
    this.#pings.get(id)?.(answered);
    this.#pings.delete(id);
  }

  #watchSilence(delayMicros: number): void {
    this.#callOffSilence = this.#clock.after(delayMicros, () => {
      const leftMicros = this.#heardMicros + CONTROL_SILENCE_MICROS - this.#clock.nowMicros();
      if (leftMicros > 0) this.#watchSilence(leftMicros);
      else this.#connection.close(`nothing heard on control for ${CONTROL_SILENCE_MICROS / SECOND_MICROS} s`);
    });
  }

  #closed(reason: string): void {
    this.#callOffSilence();
    for (const id of [...this.#pings.keys()]) this.#settlePing(id, false);
    this.#onClosed(reason);
    this.#events?.closed(reason);
  }
}
