import type { Attempt, Datatype, Payload, PayloadPart } from "@clipper-serving/spec";
import { DATATYPE_WIDTH, DATATYPES, INPUT_TYPES } from "@clipper-serving/spec";
import fc from "fast-check";
import type { Frame, ResultItem } from "../codec/frames.js";
import { ERROR_KINDS, elementsOf, ROLES } from "../codec/wire-format.js";

/** Frames as an encoder writes them, for property tests. */

const id = fc.maxSafeNat();
const u32 = fc.nat({ max: 0xffff_ffff });

function text(minBytes: number, maxBytes: number): fc.Arbitrary<string> {
  return fc
    .string({ unit: "binary", minLength: minBytes, maxLength: maxBytes })
    .filter((value) => Buffer.byteLength(value) <= maxBytes);
}

const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((data) => Uint8Array.from(data));

const fixedWidth = fc.constantFrom(...DATATYPES.filter((datatype) => DATATYPE_WIDTH[datatype] > 0));
const shape = fc.array(fc.nat({ max: 3 }), { maxLength: 8 }).filter((extents) => elementsOf(extents) <= 64);

const fixedWidthPart: fc.Arbitrary<PayloadPart> = fc
  .tuple(text(0, 20), fixedWidth, shape)
  .chain(([name, datatype, extents]) =>
    bytes(elementsOf(extents) * DATATYPE_WIDTH[datatype]).map((data) => ({
      name,
      datatype,
      shape: extents,
      data,
    })),
  );

const rawPart: fc.Arbitrary<PayloadPart> = fc.record({
  name: text(0, 20),
  datatype: fc.constantFrom<Datatype>("BYTES", "JSON"),
  shape: fc.constant([]),
  data: fc.uint8Array({ maxLength: 200 }).map((data) => Uint8Array.from(data)),
});

/** Large enough to be referred to instead of copied. */
const bigPart: fc.Arbitrary<PayloadPart> = fc.integer({ min: 16_380, max: 70_000 }).map((length) => ({
  name: "big",
  datatype: "UINT8",
  shape: [length],
  data: new Uint8Array(length).fill(7),
}));

const elementsPart: fc.Arbitrary<PayloadPart> = fc
  .array(fc.uint8Array({ maxLength: 12 }), { maxLength: 6 })
  .map((elements) => ({
    name: "list",
    datatype: "BYTES",
    shape: [elements.length],
    data: Uint8Array.from(elements.flatMap((element) => [element.length, 0, 0, 0, ...element])),
  }));

const payload: fc.Arbitrary<Payload> = fc.record({
  parts: fc.array(
    fc.oneof(
      { arbitrary: fixedWidthPart, weight: 5 },
      { arbitrary: rawPart, weight: 4 },
      { arbitrary: elementsPart, weight: 2 },
      { arbitrary: bigPart, weight: 1 },
    ),
    { maxLength: 4 },
  ),
});

const attempt: fc.Arbitrary<Attempt> = fc.record(
  {
    id,
    input: payload,
    remainingMicros: fc.nat({ max: 2_147_483_647 }),
    requestId: text(1, 128),
    trace: text(1, 128),
  },
  { requiredKeys: ["id", "input", "remainingMicros"], noNullPrototype: true },
);

const resultItem: fc.Arbitrary<ResultItem> = fc.oneof(
  fc.record({ id, status: fc.constantFrom("ok" as const, "chunk" as const), output: payload }),
  fc.record({
    id,
    status: fc.constant("error" as const),
    kind: fc.constantFrom(...ERROR_KINDS),
    message: text(0, 4096),
  }),
);

function frame<Type extends Frame["type"], Rest extends object>(
  type: Type,
  rest: { [Key in keyof Rest]: fc.Arbitrary<Rest[Key]> },
): fc.Arbitrary<{ type: Type; id: number; mayIgnore: boolean } & Rest> {
  return fc.record({
    type: fc.constant(type),
    id,
    mayIgnore: fc.boolean(),
    ...rest,
  }) as unknown as fc.Arbitrary<{ type: Type; id: number; mayIgnore: boolean } & Rest>;
}

const digest = bytes(32).map((data) => `sha256:${Buffer.from(data).toString("hex")}`);

export const arbitraryFrame: fc.Arbitrary<Frame> = fc.oneof(
  frame("HELLO", {
    versionMin: fc.nat({ max: 0xffff }),
    versionMax: fc.nat({ max: 0xffff }),
    role: fc.constantFrom(...ROLES),
    model: text(1, 63),
    version: text(1, 63),
    inputType: fc.constantFrom(...INPUT_TYPES),
    replicaId: text(1, 128),
    incarnation: bytes(16).map((data) => Buffer.from(data).toString("hex")),
    bundleDigest: fc.oneof(fc.constant(""), digest),
    features: u32,
    maxBatchSize: u32,
  }),
  frame("CHALLENGE", { nonce: bytes(32) }),
  frame("PROOF", { proof: bytes(32) }),
  frame("WELCOME", { version: fc.nat({ max: 0xffff }), epoch: id, maxFrameBytes: u32 }),
  frame("REJECT", { reason: text(0, 63), text: text(0, 4096) }),
  frame("BEAT", { ageMicros: id, queueDepth: u32 }),
  frame("PING", {}),
  frame("PONG", {}),
  frame("CANCEL", { ids: fc.array(id, { maxLength: 20 }) }),
  frame("PEERS", { addresses: fc.array(text(0, 100), { maxLength: 5 }) }),
  frame("DRAIN", { text: text(0, 4096) }),
  frame("RECYCLE", { text: text(0, 4096) }),
  frame("PREDICT", { items: fc.array(attempt, { minLength: 1, maxLength: 8 }) }),
  frame("RESULT", {
    queueMicros: id,
    serviceMicros: id,
    batchSize: u32,
    items: fc.array(resultItem, { minLength: 1, maxLength: 8 }),
  }),
);
