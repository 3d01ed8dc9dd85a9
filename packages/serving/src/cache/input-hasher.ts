import type { Payload, Random } from "@clipper-serving/spec";
import { InputKey } from "./input-key.js";

/** Keys of inputs (MurmurHash3 x86_128), seeded, so that nobody outside can prepare collisions. */
export class InputHasher {
  readonly #seeds: readonly [number, number, number, number];

  /** @param scope what the input is for: equal inputs in two scopes have two keys */
  constructor(random: Random, scope: string) {
    const draw = (): number => (random() * 2 ** 32) | 0;
    let h = draw();
    for (let i = 0; i < scope.length; i++) h = Math.imul(h ^ scope.charCodeAt(i), 0x01000193);
    this.#seeds = [h, draw(), draw(), draw()];
  }

  key(input: Payload): InputKey {
    let [h1, h2, h3, h4] = this.#seeds;
    let length = 0;
    for (const part of input.parts) {
      h1 = mixText(h1, part.name);
      h2 = mixText(h2, part.datatype);
      for (const extent of part.shape) h3 = (rotate(h3 ^ Math.imul(extent, C1), 13) + length) | 0;
      const { data } = part;
      const bytes = data.byteLength;
      length += bytes;
      const whole = bytes & ~15;
      const words =
        whole >= WORTH_A_VIEW && (data.byteOffset & 3) === 0
          ? new Int32Array(data.buffer, data.byteOffset, whole >> 2)
          : undefined;
      for (let at = 0; at < bytes; at += 16) {
        let k1: number;
        let k2: number;
        let k3: number;
        let k4: number;
        if (at === whole) {
          k1 = wordOfTail(data, at);
          k2 = wordOfTail(data, at + 4);
          k3 = wordOfTail(data, at + 8);
          k4 = wordOfTail(data, at + 12);
        } else if (words === undefined) {
          k1 = word(data, at);
          k2 = word(data, at + 4);
          k3 = word(data, at + 8);
          k4 = word(data, at + 12);
        } else {
          const index = at >> 2;
          k1 = words[index]!;
          k2 = words[index + 1]!;
          k3 = words[index + 2]!;
          k4 = words[index + 3]!;
        }
        h1 ^= Math.imul(rotate(Math.imul(k1, C1), 15), C2);
        h1 = (Math.imul((rotate(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
        h2 ^= Math.imul(rotate(Math.imul(k2, C2), 16), C3);
        h2 = (Math.imul((rotate(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
        h3 ^= Math.imul(rotate(Math.imul(k3, C3), 17), C4);
        h3 = (Math.imul((rotate(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
        h4 ^= Math.imul(rotate(Math.imul(k4, C4), 18), C1);
        h4 = (Math.imul((rotate(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
      }
    }
    h1 ^= length;
    h2 ^= length;
    h3 ^= length;
    h4 ^= length;
    h1 = (h1 + h2 + h3 + h4) | 0;
    h2 = finish((h2 + h1) | 0);
    h3 = finish((h3 + h1) | 0);
    h4 = finish((h4 + h1) | 0);
    h1 = finish(h1);
    h1 = (h1 + h2 + h3 + h4) | 0;
    h2 = (h2 + h1) | 0;
    h3 = (h3 + h1) | 0;
    h4 = (h4 + h1) | 0;
    return new InputKey(h1, h2, h3, h4);
  }
}

const C1 = 0x239b961b;
const C2 = 0xab0e9789 | 0;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93 | 0;
/** Below this making a typed array costs more than it saves, bytes. */
const WORTH_A_VIEW = 256;

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

function finish(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function mixText(seed: number, text: string): number {
  let h = seed;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return rotate(h ^ text.length, 11);
}

function word(data: Uint8Array, at: number): number {
  return data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24);
}

/** Bytes beyond the end read as 0. */
function wordOfTail(data: Uint8Array, at: number): number {
  const left = data.byteLength - at;
  if (left >= 4) return word(data, at);
  let value = 0;
  for (let i = 0; i < left; i++) value |= data[at + i]! << (8 * i);
  return value;
}
