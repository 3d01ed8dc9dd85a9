import type { FixtureFrame, FixtureItem, FixturePart, Header } from "./frame-bytes.ts";
import { bytes, littleEndian } from "./frame-bytes.ts";

export interface GoldenCase {
  readonly name: string;
  readonly frame: FixtureFrame;
  /** The frame is valid, but an encoder would write it otherwise: only decode it. */
  readonly decodeOnly?: true;
}

const INCARNATION = "000102030405060708090a0b0c0d0e0f";
const COUNTING_BYTES = Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString("hex");
const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;
const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const MAX_SAFE = Number.MAX_SAFE_INTEGER;

const HELLO: Header = {
  magic: Buffer.from("CLP4").toString("hex"),
  "version-min": 4,
  "version-max": 4,
  role: 1,
  model: "digits",
  version: "1",
  "input-type": "doubles",
  replica: "r-1",
  incarnation: INCARNATION,
  "bundle-digest": DIGEST,
  features: 0,
  "max-batch": 64,
};

function frame(type: FixtureFrame["type"], rest: Partial<FixtureFrame> = {}): FixtureFrame {
  return { type, id: 0, mayIgnore: false, header: {}, items: [], cancel: [], ...rest };
}

function item(id: number, rest: Partial<FixtureItem> = {}): FixtureItem {
  return {
    id,
    status: 0,
    kind: 0,
    remainingMicros: 0,
    requestId: "",
    trace: "",
    errorText: "",
    parts: [],
    ...rest,
  };
}

function part(
  datatype: string,
  shape: readonly number[],
  data: Uint8Array | string,
  name = "input",
): FixturePart {
  return { name, datatype, shape, dataHex: Buffer.from(data).toString("hex") };
}

function elements(values: readonly string[]): Buffer {
  return bytes(...values.flatMap((value) => [littleEndian(Buffer.byteLength(value), 4), value]));
}

const output = (text: string): FixturePart => part("BYTES", [], text, "output");
const doubles = (values: readonly number[]): FixturePart =>
  part("FP64", [values.length], new Uint8Array(Float64Array.from(values).buffer));
const floats = (values: readonly number[]): FixturePart =>
  part("FP32", [values.length], new Uint8Array(Float32Array.from(values).buffer));
const integers = (values: readonly number[]): FixturePart =>
  part("INT32", [values.length], new Uint8Array(Int32Array.from(values).buffer));

function predict(name: string, parts: readonly FixturePart[]): GoldenCase {
  return {
    name: `predict ${name}`,
    frame: frame("PREDICT", { id: 7, items: [item(41, { remainingMicros: 20_000, parts })] }),
  };
}

const TIMES: Header = { queue: 12, service: 3456, "batch-size": 2 };

const HANDSHAKE: readonly GoldenCase[] = [
  { name: "hello on data", frame: frame("HELLO", { header: HELLO }) },
  { name: "hello on control", frame: frame("HELLO", { header: { ...HELLO, role: 2 } }) },
  {
    name: "hello with empty bundle digest and any batch",
    frame: frame("HELLO", { header: { ...HELLO, "bundle-digest": "", "max-batch": 0 } }),
  },
  {
    name: "hello with the longest names",
    frame: frame("HELLO", {
      header: { ...HELLO, model: "m".repeat(63), version: "v".repeat(63), replica: "é".repeat(64) },
    }),
  },
  {
    name: "hello without the fields that may be absent",
    decodeOnly: true,
    frame: frame("HELLO", {
      header: Object.fromEntries(
        Object.entries(HELLO).filter(([name]) => !["bundle-digest", "features", "max-batch"].includes(name)),
      ),
    }),
  },
  {
    name: "hello of a future version",
    frame: frame("HELLO", { header: { ...HELLO, "version-min": 5, "version-max": 6 } }),
  },
  { name: "challenge", frame: frame("CHALLENGE", { header: { nonce: COUNTING_BYTES } }) },
  { name: "proof", frame: frame("PROOF", { header: { proof: "ff".repeat(32) } }) },
  {
    name: "welcome",
    frame: frame("WELCOME", { header: { "version-max": 4, epoch: 3, "max-frame": 67_108_864 } }),
  },
  {
    name: "welcome with the largest epoch",
    frame: frame("WELCOME", { header: { "version-max": 4, epoch: MAX_SAFE, "max-frame": 4096 } }),
  },
  ...["protocol", "version", "authentication", "identity", "limit", "draining"].map((reason) => ({
    name: `reject for ${reason}`,
    frame: frame("REJECT", { header: { reason, text: reason === "version" ? "4" : "" } }),
  })),
  {
    name: "reject without text",
    decodeOnly: true,
    frame: frame("REJECT", { header: { reason: "limit" } }),
  },
  {
    name: "reject with unicode text",
    frame: frame("REJECT", { header: { reason: "identity", text: "réplique « r-1 » 生きている 🚦" } }),
  },
];

const CONTROL: readonly GoldenCase[] = [
  { name: "beat when idle", frame: frame("BEAT", { header: { age: 0, "queue-depth": 0 } }) },
  { name: "beat while busy", frame: frame("BEAT", { header: { age: 1_500_000, "queue-depth": 65 } }) },
  { name: "ping", frame: frame("PING", { id: 99 }) },
  { name: "pong", frame: frame("PONG", { id: 99 }) },
  { name: "ping with the largest id", frame: frame("PING", { id: MAX_SAFE }) },
  { name: "ping that may be ignored", frame: frame("PING", { id: 1, mayIgnore: true }) },
  { name: "cancel one", frame: frame("CANCEL", { cancel: [41] }) },
  { name: "cancel several", frame: frame("CANCEL", { id: 5, cancel: [1, 4_294_967_296, MAX_SAFE] }) },
  { name: "cancel none", frame: frame("CANCEL") },
  { name: "peers, none", frame: frame("PEERS") },
  {
    name: "peers, one of each kind",
    frame: frame("PEERS", {
      header: { address: ["unix:/run/clipper/rpc.sock", "tcp:10.0.0.7:7000", "tls:[fd00::7]:7443"] },
    }),
  },
  { name: "drain", frame: frame("DRAIN", { header: { text: "SIGTERM" } }) },
  { name: "drain without a word", frame: frame("DRAIN", { header: { text: "" } }) },
  { name: "recycle", frame: frame("RECYCLE", { header: { text: "batch 7 hangs since 30.1 s" } }) },
  {
    name: "recycle with the longest text",
    frame: frame("RECYCLE", { header: { text: "x".repeat(4096) } }),
  },
];

const PREDICTS: readonly GoldenCase[] = [
  predict("integers", [integers([-1, 0, 2_147_483_647])]),
  predict("floats", [floats([0.5, -1.25])]),
  predict("doubles", [doubles([0, 1, -1.5, 0.1, 1e300, 5, 6, 7, 8, 9])]),
  predict("strings", [part("BYTES", [], "hello")]),
  predict("bytes", [part("BYTES", [], Uint8Array.of(0, 255, 128, 1))]),
  predict("an empty string", [part("BYTES", [], "")]),
  predict("an empty vector", [doubles([])]),
  predict("a unicode string", [part("BYTES", [], "naïve – 日本語 🐍")]),
  predict("no part", []),
  predict("a part without a name", [part("INT32", [1], littleEndian(5, 4), "")]),
  predict("a part with a unicode name", [part("INT32", [1], littleEndian(5, 4), "größe")]),
  predict("BOOL", [part("BOOL", [3], Uint8Array.of(0, 1, 1))]),
  predict("UINT8", [part("UINT8", [2, 3], Uint8Array.of(1, 2, 3, 4, 5, 255))]),
  predict("UINT16", [part("UINT16", [2], bytes(littleEndian(1, 2), littleEndian(65_535, 2)))]),
  predict("UINT32", [part("UINT32", [1], littleEndian(4_294_967_295, 4))]),
  predict("UINT64", [part("UINT64", [1], littleEndian(18_446_744_073_709_551_615n, 8))]),
  predict("INT8", [part("INT8", [2], Uint8Array.of(128, 127))]),
  predict("INT16", [part("INT16", [1, 2], bytes(littleEndian(32_768, 2), littleEndian(32_767, 2)))]),
  predict("INT32 without a dimension", [part("INT32", [], littleEndian(42, 4))]),
  predict("INT64", [part("INT64", [1], Buffer.alloc(8, 255))]),
  predict("FP16", [part("FP16", [2], bytes(littleEndian(0x3c00, 2), littleEndian(0xc000, 2)))]),
  predict("FP32 of eight dimensions", [
    part("FP32", [1, 1, 1, 2, 1, 1, 1, 1], new Uint8Array(Float32Array.of(1, 2).buffer)),
  ]),
  predict("FP64 with no element in huge dimensions", [
    part("FP64", [4_294_967_295, 0, 4_294_967_295], new Uint8Array()),
  ]),
  predict("BYTES of several elements", [part("BYTES", [3], elements(["a", "", "long enough"]))]),
  predict("BYTES of two dimensions", [part("BYTES", [2, 2], elements(["a", "b", "ç", "d"]))]),
  predict("BYTES with no element", [part("BYTES", [0], "")]),
  predict("JSON", [part("JSON", [], '{"a":[1,2,{"b":"ü"}]}')]),
  predict("several parts", [
    part("FP32", [2, 2], new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer), "pixels"),
    part("BYTES", [], "caption", "text"),
    part("UINT8", [1], Uint8Array.of(9), "flag"),
    part("JSON", [], "null", "extra"),
  ]),
  {
    name: "predict several items",
    frame: frame("PREDICT", {
      id: 8,
      items: [
        item(42, {
          remainingMicros: 2_147_483_647,
          requestId: "req-1",
          trace: TRACE,
          parts: [doubles([1, 2, 3])],
        }),
        item(43, { remainingMicros: 0, requestId: "ünïcode", parts: [doubles([4])] }),
        item(44, { remainingMicros: 1, trace: TRACE, parts: [doubles([])] }),
        item(MAX_SAFE, { remainingMicros: 1000, parts: [doubles([6])] }),
      ],
    }),
  },
  {
    name: "predict with the longest request id",
    frame: frame("PREDICT", {
      items: [item(1, { requestId: "q".repeat(128), trace: "t".repeat(128), parts: [integers([1])] })],
    }),
  },
];

const RESULTS: readonly GoldenCase[] = [
  {
    name: "result of two items",
    frame: frame("RESULT", {
      id: 7,
      header: TIMES,
      items: [item(41, { parts: [output("3")] }), item(42, { parts: [output("default: é")] })],
    }),
  },
  {
    name: "result with an empty output",
    frame: frame("RESULT", { id: 7, header: TIMES, items: [item(41, { parts: [output("")] })] }),
  },
  {
    name: "result with every error kind",
    frame: frame("RESULT", {
      id: 9,
      header: { queue: 0, service: MAX_SAFE, "batch-size": 5 },
      items: [
        item(1, { status: 1, kind: 1, errorText: "ValueError" }),
        item(2, { status: 1, kind: 2, errorText: "the function returned 3 outputs for 4 inputs" }),
        item(3, { status: 1, kind: 3, errorText: "not UTF-8: é" }),
        item(4, { status: 1, kind: 4 }),
        item(5, { status: 1, kind: 5, errorText: "expired" }),
      ],
    }),
  },
  {
    name: "result with chunks",
    frame: frame("RESULT", {
      id: 10,
      header: { queue: 1, service: 2, "batch-size": 1 },
      items: [
        item(50, { status: 2, parts: [output("to")] }),
        item(50, { status: 2, parts: [output("ken")] }),
        item(51, { status: 0, parts: [output("done")] }),
      ],
    }),
  },
  {
    name: "result with the longest error text",
    frame: frame("RESULT", {
      header: TIMES,
      items: [item(1, { status: 1, kind: 1, errorText: "e".repeat(4096) })],
    }),
  },
  {
    name: "result of several parts",
    frame: frame("RESULT", {
      id: 11,
      header: TIMES,
      items: [
        item(60, {
          parts: [
            part("FP32", [2], new Uint8Array(Float32Array.of(0.25, 0.75).buffer), "scores"),
            output("cat"),
          ],
        }),
      ],
    }),
  },
];

export const GOLDEN_CASES: readonly GoldenCase[] = [...HANDSHAKE, ...CONTROL, ...PREDICTS, ...RESULTS];
export { HELLO, TIMES };
