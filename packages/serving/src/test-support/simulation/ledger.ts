import type { Prediction } from "@clipper-serving/spec";
import { textOf } from "@clipper-serving/testing";
import { modelOutput } from "./simulated-replica.js";

interface Asked {
  readonly input: string;
  readonly deadlineMicros: number;
  answers: number;
  isAborted: boolean;
}

/** A default is told at the first whole millisecond at or after the deadline. */
const TICK_MICROS = 1_000;

/** The client's own account of what it asked and was told. */
export class Ledger {
  readonly violations: string[] = [];
  readonly defaults: Record<string, number> = {};
  asked = 0;
  ok = 0;
  aborted = 0;
  rejected = 0;
  readonly #queries: Asked[] = [];

  ask(input: string, deadlineMicros: number): Asked {
    this.asked++;
    const query: Asked = { input, deadlineMicros, answers: 0, isAborted: false };
    this.#queries.push(query);
    return query;
  }

  answer(query: Asked, prediction: Prediction, nowMicros: number): void {
    query.answers++;
    if (query.answers > 1) this.violations.push(`${query.input} was answered twice`);
    if (query.isAborted) {
      this.aborted++;
      return;
    }
    if (nowMicros > query.deadlineMicros + TICK_MICROS) {
      this.violations.push(`${query.input} was answered ${nowMicros - query.deadlineMicros} µs late`);
    }
    if (prediction.isDefault) {
      this.defaults[prediction.reason] = (this.defaults[prediction.reason] ?? 0) + 1;
      return;
    }
    this.ok++;
    const expected = modelOutput(prediction.servedBy.version, query.input);
    const actual = textOf(prediction.output);
    if (actual !== expected) this.violations.push(`${query.input} was answered ${actual}`);
  }

  reject(query: Asked): void {
    query.answers++;
    this.rejected++;
  }

  /** Queries whose input's name began so. */
  inputs(prefix: string): number {
    return this.#queries.filter(({ input }) => input.startsWith(prefix)).length;
  }

  /** At the end: everybody was answered, and the sums agree. */
  close(): void {
    for (const { input, answers } of this.#queries) {
      if (answers !== 1) this.violations.push(`${input} was answered ${answers} times`);
    }
    const defaults = Object.values(this.defaults).reduce((sum, count) => sum + count, 0);
    const sum = this.ok + defaults + this.aborted + this.rejected;
    if (sum !== this.asked) this.violations.push(`${this.asked} asked, ${sum} accounted for`);
  }
}
