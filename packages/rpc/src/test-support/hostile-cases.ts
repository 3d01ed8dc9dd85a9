import {
  bytes,
  cancelBody,
  type FrameParts,
  field,
  frame,
  type Header,
  header,
  type ItemParts,
  item,
  itemsBody,
  littleEndian,
  type PartParts,
  part,
  TAGS,
  TYPES,
} from "./frame-bytes.ts";
import { HELLO, TIMES } from "./golden-cases.ts";

export interface HostileCase {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** `ignored`: no frame comes out and the connection goes on. `incomplete`: more bytes are waited for. */
  readonly expect: "protocol-error" | "incomplete" | "ignored";
  readonly why: string;
}

const TWO_TO_53 = 2n ** 53n;
const NOT_UTF8 = Uint8Array.of(0xff, 0xfe);
const NO_FIELDS = new Uint8Array();

function bad(name: string, data: Uint8Array, why: string): HostileCase {
  return { name, bytes: data, expect: "protocol-error", why };
}

/** A HELLO with some fields replaced. */
function hello(fields: Header): Buffer {
  return frame({ type: TYPES.HELLO, header: header({ ...HELLO, ...fields }) });
}

/** A HELLO that lacks one field, with `instead` in its place. */
function helloWithout(name: keyof typeof TAGS, instead: Uint8Array = NO_FIELDS): Buffer {
  const rest = Object.fromEntries(Object.entries(HELLO).filter(([field]) => field !== name)) as Header;
  return frame({ type: TYPES.HELLO, header: bytes(header(rest), instead) });
}

function control(type: number, fields: Uint8Array, rest: Partial<FrameParts> = {}): Buffer {
  return frame({ type, header: fields, ...rest });
}

function predict(items: readonly Uint8Array[], claimedCount?: number, zero?: number): Buffer {
  return frame({ type: TYPES.PREDICT, id: 7, body: itemsBody(items, claimedCount, zero) });
}

function predictItem(options: ItemParts): Buffer {
  return predict([item(options)]);
}

function predictPart(options: PartParts): Buffer {
  return predictItem({ parts: [part(options)] });
}

function result(options: ItemParts, times: Header = TIMES): Buffer {
  return frame({ type: TYPES.RESULT, id: 7, header: header(times), body: itemsBody([item(options)]) });
}

function element(length: number, data: string): Buffer {
  return bytes(littleEndian(length, 4), data);
}

const GOOD_PART = part({ datatype: 12, shape: [1], data: Buffer.alloc(8) });
const GOOD_ITEM = item({ remaining: 1000, parts: [GOOD_PART] });
const GOOD_PREDICT = predict([GOOD_ITEM]);

const LENGTHS: readonly HostileCase[] = [
  bad("length 0", littleEndian(0, 4), "the smallest length is 12; known as soon as four bytes are here"),
  bad("length 11", bytes(littleEndian(11, 4), Buffer.alloc(11)), "the smallest length is 12"),
  bad("length 2^32-1", littleEndian(0xffff_ffff, 4), "over 64 MiB; nothing may be allocated for it"),
  bad("length 2^31", littleEndian(0x8000_0000, 4), "over 64 MiB, and negative where lengths are signed"),
  bad("length 64 MiB and one", littleEndian(67_108_865, 4), "over 64 MiB"),
  bad(
    "length of an HTTP request",
    Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    '"GET " is a length over 64 MiB',
  ),
  bad(
    "length big endian",
    Buffer.from("0000000c07000000000000000000000a", "hex"),
    "0x0c000000 is over 64 MiB",
  ),
];

const INCOMPLETE: readonly HostileCase[] = [
  { name: "no byte", bytes: NO_FIELDS, expect: "incomplete", why: "nothing was sent" },
  { name: "one byte", bytes: Uint8Array.of(12), expect: "incomplete", why: "half a length" },
  {
    name: "a length alone",
    bytes: littleEndian(67_108_864, 4),
    expect: "incomplete",
    why: "64 MiB is allowed; they are not here, and should not be allocated before they come",
  },
  {
    name: "the beginning of a TLS hello",
    bytes: Buffer.from("16030100c8010000c40303", "hex"),
    expect: "incomplete",
    why: "66,326 could be a length; silence closes the connection",
  },
  {
    name: "a frame without its last byte",
    bytes: GOOD_PREDICT.subarray(0, -1),
    expect: "incomplete",
    why: "half a frame, then silence",
  },
  {
    name: "a frame cut in its fixed part",
    bytes: GOOD_PREDICT.subarray(0, 11),
    expect: "incomplete",
    why: "the id is not whole",
  },
  {
    name: "a frame cut in its body",
    bytes: GOOD_PREDICT.subarray(0, 30),
    expect: "incomplete",
    why: "the items are not here",
  },
];

const TYPES_AND_IDS: readonly HostileCase[] = [
  bad("unknown type 99", frame({ type: 99 }), "unknown and not marked as ignorable"),
  bad("unknown type 0", frame({ type: 0 }), "unknown and not marked as ignorable"),
  bad(
    "unknown type 255 with another flag",
    frame({ type: 255, flags: 0xfe }),
    "only bit 0 means may be ignored",
  ),
  {
    name: "unknown type 99 that may be ignored",
    bytes: frame({ type: 99, flags: 1, header: field(1, "x"), body: Buffer.from("anything at all") }),
    expect: "ignored",
    why: "bit 0 is set: fields and body are not looked at",
  },
  {
    name: "unknown type 200 that may be ignored, with fields that are none",
    bytes: frame({ type: 200, flags: 0xff, header: Buffer.from("no fields") }),
    expect: "ignored",
    why: "the fields of an unknown type are not looked at",
  },
  bad(
    "unknown type that may be ignored, header over frame",
    frame({ type: 99, flags: 1, claimedHeaderLength: 1 }),
    "length, header length and id are checked on every frame",
  ),
  bad("frame id 2^53", frame({ type: TYPES.PING, id: TWO_TO_53 }), "a u64 must be below 2^53"),
  bad("frame id 2^64-1", frame({ type: TYPES.PING, id: 2n ** 64n - 1n }), "a u64 must be below 2^53"),
];

const FIELDS: readonly HostileCase[] = [
  bad(
    "header over frame",
    frame({ type: TYPES.PING, claimedHeaderLength: 1 }),
    "a header of 1 byte in a frame of 12",
  ),
  bad(
    "header of 65535 in a small frame",
    frame({ type: TYPES.HELLO, claimedHeaderLength: 0xffff }),
    "header over frame",
  ),
  bad(
    "field over header",
    control(TYPES.DRAIN, field(TAGS.text, "x", 2)),
    "the field claims one byte more than the header has",
  ),
  bad(
    "field of 65535",
    control(TYPES.DRAIN, field(TAGS.text, "", 0xffff)),
    "the field claims more than the header has",
  ),
  bad(
    "unknown field over header",
    control(TYPES.PING, field(900, "x", 2)),
    "an unknown tag is skipped, and must fit all the same",
  ),
  bad(
    "three bytes left in the header",
    control(TYPES.DRAIN, bytes(field(TAGS.text, "x"), Buffer.alloc(3))),
    "no whole field: tag and length take four bytes",
  ),
  bad("one byte left in the header", control(TYPES.PING, Buffer.alloc(1)), "no whole field"),
  bad(
    "a tag twice",
    control(TYPES.DRAIN, bytes(field(TAGS.text, "a"), field(TAGS.text, "b"))),
    "only address may be repeated",
  ),
  bad(
    "the same tag twice with the same value",
    helloWithout("role", bytes(field(TAGS.role, Uint8Array.of(1)), field(TAGS.role, Uint8Array.of(1)))),
    "only address may be repeated",
  ),
  bad("text not UTF-8", control(TYPES.DRAIN, field(TAGS.text, NOT_UTF8)), "text is UTF-8"),
  bad(
    "text of a lone surrogate",
    control(TYPES.DRAIN, field(TAGS.text, Uint8Array.of(0xed, 0xa0, 0x80))),
    "UTF-8 holds no surrogates",
  ),
  bad(
    "text of an overlong encoding",
    control(TYPES.DRAIN, field(TAGS.text, Uint8Array.of(0xc0, 0xaf))),
    "UTF-8 is the shortest form",
  ),
  bad(
    "text cut in a character",
    control(TYPES.DRAIN, field(TAGS.text, Uint8Array.of(0xe2, 0x82))),
    "half a character",
  ),
  bad("text of 4097 bytes", control(TYPES.DRAIN, field(TAGS.text, "x".repeat(4097))), "at most 4,096 bytes"),
  bad("address not UTF-8", control(TYPES.PEERS, field(TAGS.address, NOT_UTF8)), "an address is UTF-8"),
  bad("reject without a reason", control(TYPES.REJECT, field(TAGS.text, "why")), "reason must be there"),
  bad("reason not UTF-8", control(TYPES.REJECT, field(TAGS.reason, NOT_UTF8)), "reason is UTF-8"),
  bad(
    "ping with a body",
    frame({ type: TYPES.PING, body: Buffer.alloc(8) }),
    "a PING has no body: bytes are left over",
  ),
  bad(
    "welcome with one byte left over",
    frame({
      type: TYPES.WELCOME,
      header: header({ "version-max": 4, epoch: 1, "max-frame": 4096 }),
      body: Uint8Array.of(0),
    }),
    "a WELCOME has no body: bytes are left over",
  ),
];

const HANDSHAKE: readonly HostileCase[] = [
  bad("hello without fields", frame({ type: TYPES.HELLO }), "everything is missing"),
  bad("hello without magic", helloWithout("magic"), "magic must be there"),
  bad("hello with another magic", hello({ magic: Buffer.from("HTTP").toString("hex") }), "magic is CLP4"),
  bad(
    "hello with a magic of three bytes",
    hello({ magic: Buffer.from("CLP").toString("hex") }),
    "magic is four bytes",
  ),
  bad("hello without versions", helloWithout("version-min"), "version-min must be there"),
  bad(
    "hello with a version of one byte",
    helloWithout("version-max", field(TAGS["version-max"], Uint8Array.of(4))),
    "version-max is a u16",
  ),
  bad("hello without role", helloWithout("role"), "role must be there"),
  bad("hello with role 0", hello({ role: 0 }), "role is 1, 2 or 3"),
  bad("hello with role 4", hello({ role: 4 }), "role is 1, 2 or 3"),
  bad("hello with an empty role", helloWithout("role", field(TAGS.role, "")), "role is one byte"),
  bad("hello without model", helloWithout("model"), "model must be there"),
  bad("hello with an empty model", hello({ model: "" }), "model has 1 to 63 bytes"),
  bad("hello with a model of 64 bytes", hello({ model: "m".repeat(64) }), "model has 1 to 63 bytes"),
  bad("hello with a model of 4 KiB", hello({ model: "m".repeat(4096) }), "model has 1 to 63 bytes"),
  bad(
    "hello with a model that is not UTF-8",
    helloWithout("model", field(TAGS.model, NOT_UTF8)),
    "model is UTF-8",
  ),
  bad("hello with an empty version", hello({ version: "" }), "version has 1 to 63 bytes"),
  bad("hello with a version of 64 bytes", hello({ version: "é".repeat(32) }), "bytes count, not characters"),
  bad("hello with an empty replica", hello({ replica: "" }), "replica has 1 to 128 bytes"),
  bad("hello with a replica of 129 bytes", hello({ replica: "r".repeat(129) }), "replica has 1 to 128 bytes"),
  bad("hello without incarnation", helloWithout("incarnation"), "incarnation must be there"),
  bad(
    "hello with an incarnation of 15 bytes",
    hello({ incarnation: "00".repeat(15) }),
    "incarnation is 16 bytes",
  ),
  bad(
    "hello with an incarnation of 17 bytes",
    hello({ incarnation: "00".repeat(17) }),
    "incarnation is 16 bytes",
  ),
  bad("hello without input type", helloWithout("input-type"), "input-type must be there"),
  bad("hello with input type 7", hello({ "input-type": "7" }), "one of the five names"),
  bad("hello with input type abc", hello({ "input-type": "abc" }), "one of the five names"),
  bad("hello with an empty input type", hello({ "input-type": "" }), "one of the five names"),
  bad(
    "hello with a short bundle digest",
    hello({ "bundle-digest": "sha256:00" }),
    "empty, or sha256: and 64 hex digits",
  ),
  bad(
    "hello with a max-batch of eight bytes",
    helloWithout("max-batch", field(TAGS["max-batch"], Buffer.alloc(8))),
    "max-batch is a u32",
  ),
  bad("challenge without nonce", frame({ type: TYPES.CHALLENGE }), "nonce must be there"),
  bad(
    "challenge with a nonce of 31 bytes",
    control(TYPES.CHALLENGE, header({ nonce: "00".repeat(31) })),
    "nonce is 32 bytes",
  ),
  bad("proof of 64 bytes", control(TYPES.PROOF, header({ proof: "00".repeat(64) })), "proof is 32 bytes"),
  bad("proof without proof", frame({ type: TYPES.PROOF }), "proof must be there"),
  bad(
    "welcome with epoch 2^53",
    control(
      TYPES.WELCOME,
      bytes(header({ "version-max": 4, "max-frame": 4096 }), field(TAGS.epoch, littleEndian(TWO_TO_53, 8))),
    ),
    "a u64 must be below 2^53",
  ),
  bad(
    "welcome with an epoch of four bytes",
    control(
      TYPES.WELCOME,
      bytes(header({ "version-max": 4, "max-frame": 4096 }), field(TAGS.epoch, Buffer.alloc(4))),
    ),
    "epoch is a u64",
  ),
  bad(
    "welcome without epoch",
    control(TYPES.WELCOME, header({ "version-max": 4, "max-frame": 4096 })),
    "epoch must be there",
  ),
];

const CONTROL: readonly HostileCase[] = [
  bad("beat without age", control(TYPES.BEAT, header({ "queue-depth": 0 })), "age must be there"),
  bad(
    "beat with age 2^64-1",
    control(TYPES.BEAT, field(TAGS.age, Buffer.alloc(8, 255))),
    "a u64 must be below 2^53",
  ),
  bad("cancel without a body", frame({ type: TYPES.CANCEL }), "count must be there"),
  bad(
    "cancel with half a count",
    frame({ type: TYPES.CANCEL, body: Buffer.alloc(4) }),
    "count and zero take eight bytes",
  ),
  bad(
    "cancel with fewer ids than it counts",
    frame({ type: TYPES.CANCEL, body: cancelBody([1, 2], 3) }),
    "count over ids",
  ),
  bad(
    "cancel with more ids than it counts",
    frame({ type: TYPES.CANCEL, body: cancelBody([1, 2], 1) }),
    "bytes are left over",
  ),
  bad(
    "cancel that counts 2^32-1",
    frame({ type: TYPES.CANCEL, body: cancelBody([1], 0xffff_ffff) }),
    "count over ids; nothing may be allocated for it",
  ),
  bad(
    "cancel that counts 2^29",
    frame({ type: TYPES.CANCEL, body: cancelBody([], 2 ** 29) }),
    "count times 8 is 2^32, which is 0 in 32 bits",
  ),
  bad(
    "cancel of id 2^53",
    frame({ type: TYPES.CANCEL, body: cancelBody([TWO_TO_53]) }),
    "a u64 must be below 2^53",
  ),
  bad(
    "cancel with its zero not zero",
    frame({ type: TYPES.CANCEL, body: bytes(littleEndian(0, 4), littleEndian(1, 4)) }),
    "a field called zero is zero",
  ),
];

const ITEMS: readonly HostileCase[] = [
  bad("predict without a body", frame({ type: TYPES.PREDICT }), "count must be there"),
  bad(
    "predict with half a count",
    frame({ type: TYPES.PREDICT, body: Buffer.alloc(4) }),
    "count and zero take eight bytes",
  ),
  bad("predict of no item", predict([]), "count is at least 1"),
  bad("predict that counts one more than it has", predict([GOOD_ITEM], 2), "count over items"),
  bad("predict that counts one fewer than it has", predict([GOOD_ITEM, GOOD_ITEM], 1), "bytes are left over"),
  bad("predict that counts 65537", predict([GOOD_ITEM], 65_537), "at most 65,536 items"),
  bad(
    "predict that counts 2^32-1",
    predict([GOOD_ITEM], 0xffff_ffff),
    "at most 65,536 items; nothing may be allocated for them",
  ),
  bad(
    "predict that counts 65536 in a small frame",
    predict([GOOD_ITEM], 65_536),
    "an item has at least 24 bytes: known before allocation",
  ),
  bad("predict with its zero not zero", predict([GOOD_ITEM], 1, 1), "a field called zero is zero"),
  bad(
    "predict with a byte after its items",
    predict([GOOD_ITEM, Uint8Array.of(0)], 1),
    "bytes are left over",
  ),
  bad("item length 0", predictItem({ claimedLength: 0 }), "an item has at least 24 bytes; 0 would never end"),
  bad("item length 16", predictItem({ claimedLength: 16 }), "an item has at least 24 bytes"),
  bad(
    "item length 28",
    predictItem({ claimedLength: 28, parts: [GOOD_PART] }),
    "an item's length is a multiple of 8",
  ),
  bad("item length over body", predictItem({ claimedLength: 32 }), "the item ends after the frame"),
  bad(
    "item length 2^32-8",
    predictItem({ claimedLength: 0xffff_fff8 }),
    "the item ends after the frame, and before its start in 32 bits",
  ),
  bad("item header over item", predictItem({ claimedHeaderLength: 1 }), "the item's fields do not fit"),
  bad("item header 65535", predictItem({ claimedHeaderLength: 0xffff }), "the item's fields do not fit"),
  bad(
    "item field over item header",
    predictItem({ fields: field(TAGS["request-id"], "ab", 3) }),
    "the field claims one byte more than the fields have",
  ),
  bad(
    "item with a tag twice",
    predictItem({ fields: bytes(field(TAGS.trace, "a"), field(TAGS.trace, "b")) }),
    "a tag at most once",
  ),
  bad(
    "request id not UTF-8",
    predictItem({ fields: field(TAGS["request-id"], NOT_UTF8) }),
    "request-id is UTF-8",
  ),
  bad(
    "request id of 129 bytes",
    predictItem({ fields: field(TAGS["request-id"], "q".repeat(129)) }),
    "at most 128 bytes",
  ),
  bad("trace of 129 bytes", predictItem({ fields: field(TAGS.trace, "t".repeat(129)) }), "at most 128 bytes"),
  bad("item id 2^53", predictItem({ id: TWO_TO_53 }), "a u64 must be below 2^53"),
  bad("item id 2^64-1", predictItem({ id: 2n ** 64n - 1n }), "a u64 must be below 2^53"),
  bad("remaining 2^31", predictItem({ remaining: 2 ** 31 }), "at most 2^31-1 µs"),
  bad("item with its zero not zero", predictItem({ zero: 1 }), "a field called zero is zero"),
  bad("predict with status 1", predictItem({ status: 1 }), "status is 0 in a PREDICT"),
  bad("predict with an error kind", predictItem({ kind: 1 }), "error kind is 0 in a PREDICT"),
  bad(
    "item with eight bytes left over",
    predictItem({ parts: [GOOD_PART, Buffer.alloc(8)], claimedParts: 1 }),
    "nothing follows the last part",
  ),
];

const PARTS: readonly HostileCase[] = [
  bad("one part more than there is", predictItem({ parts: [GOOD_PART], claimedParts: 2 }), "part over item"),
  bad(
    "65535 parts in a small item",
    predictItem({ claimedParts: 0xffff }),
    "a part has at least 8 bytes: known before allocation",
  ),
  bad("datatype 0", predictPart({ datatype: 0 }), "datatypes are 1 to 14"),
  bad("datatype 15", predictPart({ datatype: 15 }), "datatypes are 1 to 14"),
  bad("datatype 255", predictPart({ datatype: 255 }), "datatypes are 1 to 14"),
  bad(
    "nine dimensions",
    predictPart({ datatype: 2, shape: [1, 1, 1, 1, 1, 1, 1, 1, 1], data: Uint8Array.of(1) }),
    "at most 8 dimensions",
  ),
  bad(
    "255 dimensions in a small part",
    predictPart({ datatype: 2, claimedDimensions: 255 }),
    "at most 8 dimensions",
  ),
  bad(
    "dimensions over item",
    predictPart({ datatype: 2, claimedDimensions: 8 }),
    "the shape ends after the item",
  ),
  bad(
    "part name over item",
    predictPart({ datatype: 13, name: "", claimedNameLength: 0xffff }),
    "the name ends after the item",
  ),
  bad("part name not UTF-8", predictPart({ datatype: 13, name: NOT_UTF8 }), "a name is UTF-8"),
  bad(
    "part data over item",
    predictPart({ datatype: 13, data: Buffer.alloc(8), claimedDataLength: 9 }),
    "the data end after the item",
  ),
  bad(
    "part data 2^32-1",
    predictPart({ datatype: 13, claimedDataLength: 0xffff_ffff }),
    "the data end after the item; nothing may be allocated for them",
  ),
  bad(
    "part data 2^31",
    predictPart({ datatype: 13, claimedDataLength: 2 ** 31 }),
    "the data end after the item, and before in signed 32 bits",
  ),
  bad("shape over data", predictPart({ datatype: 12, shape: [2], data: Buffer.alloc(8) }), "2 × 8 is not 8"),
  bad(
    "data over shape",
    predictPart({ datatype: 12, shape: [1], data: Buffer.alloc(16) }),
    "1 × 8 is not 16",
  ),
  bad(
    "data that are no whole elements",
    predictPart({ datatype: 11, shape: [1], data: Buffer.alloc(3) }),
    "1 × 4 is not 3",
  ),
  bad(
    "no dimension and two elements",
    predictPart({ datatype: 8, data: Buffer.alloc(8) }),
    "no dimension is one element",
  ),
  bad(
    "shape whose product is 0 in 32 bits",
    predictPart({ datatype: 2, shape: [65_536, 65_536] }),
    "2^32 is not 0",
  ),
  bad(
    "shape whose product is 0 in 64 bits",
    predictPart({ datatype: 2, shape: [2 ** 31, 2 ** 31, 4] }),
    "2^64 is not 0",
  ),
  bad(
    "shape whose bytes are 8 in 64 bits",
    predictPart({ datatype: 12, shape: [2 ** 31, 2 ** 30, 1], data: Buffer.alloc(8) }),
    "2^61 × 8 is not 8",
  ),
  bad(
    "shape of eight times 2^32-1",
    predictPart({ datatype: 12, shape: Array<number>(8).fill(0xffff_ffff) }),
    "the product overflows every integer",
  ),
  bad(
    "shape whose product rounds to the data",
    predictPart({ datatype: 2, shape: [0xffff_ffff, 0xffff_ffff, 0xffff_ffff] }),
    "2^96 is not 0",
  ),
  bad(
    "zero elements with data",
    predictPart({ datatype: 12, shape: [0], data: Buffer.alloc(8) }),
    "0 × 8 is not 8",
  ),
  bad(
    "JSON with a dimension",
    predictPart({ datatype: 14, shape: [1], data: Buffer.from("1") }),
    "JSON has no dimension",
  ),
  bad(
    "BYTES with fewer elements than its shape",
    predictPart({ datatype: 13, shape: [2], data: element(1, "a") }),
    "the second element is not there",
  ),
  bad(
    "BYTES with more elements than its shape",
    predictPart({ datatype: 13, shape: [1], data: bytes(element(1, "a"), element(1, "b")) }),
    "bytes are left over",
  ),
  bad(
    "BYTES with an element over its data",
    predictPart({ datatype: 13, shape: [1], data: element(2, "a") }),
    "the element ends after the data",
  ),
  bad(
    "BYTES with an element of 2^32-1",
    predictPart({ datatype: 13, shape: [1], data: element(0xffff_ffff, "a") }),
    "the element ends after the data",
  ),
  bad(
    "BYTES of 2^32-1 elements",
    predictPart({ datatype: 13, shape: [0xffff_ffff], data: element(0, "") }),
    "each element has at least 4 bytes: known without a walk",
  ),
  bad(
    "BYTES whose product of elements overflows",
    predictPart({ datatype: 13, shape: [2 ** 31, 2 ** 31, 4], data: new Uint8Array() }),
    "2^64 elements are not none",
  ),
  bad(
    "BYTES with half an element's length",
    predictPart({ datatype: 13, shape: [1], data: Uint8Array.of(1, 0, 0) }),
    "an element's length takes four bytes",
  ),
];

const RESULTS: readonly HostileCase[] = [
  bad(
    "result of no item",
    frame({ type: TYPES.RESULT, header: header(TIMES), body: itemsBody([]) }),
    "count is at least 1",
  ),
  bad("result without times", result({}, {}), "queue, service and batch-size must be there"),
  bad(
    "result with a queue time of 2^53",
    frame({
      type: TYPES.RESULT,
      header: bytes(field(TAGS.queue, littleEndian(TWO_TO_53, 8)), header({ service: 1, "batch-size": 1 })),
      body: itemsBody([item({})]),
    }),
    "a u64 must be below 2^53",
  ),
  bad(
    "result with a service time of four bytes",
    frame({
      type: TYPES.RESULT,
      header: bytes(header({ queue: 1, "batch-size": 1 }), field(TAGS.service, Buffer.alloc(4))),
      body: itemsBody([item({})]),
    }),
    "service is a u64",
  ),
  bad("result with status 3", result({ status: 3 }), "status is 0, 1 or 2"),
  bad("result with status 255", result({ status: 255 }), "status is 0, 1 or 2"),
  bad("ok with an error kind", result({ status: 0, kind: 1 }), "the error kind is 0 unless the status is 1"),
  bad(
    "chunk with an error kind",
    result({ status: 2, kind: 1 }),
    "the error kind is 0 unless the status is 1",
  ),
  bad("error without a kind", result({ status: 1, kind: 0 }), "an error has a kind"),
  bad("error kind 6", result({ status: 1, kind: 6 }), "error kinds are 1 to 5"),
  bad("error with a part", result({ status: 1, kind: 1, parts: [GOOD_PART] }), "an error has no part"),
  bad(
    "error text of 4097 bytes",
    result({ status: 1, kind: 1, fields: field(TAGS["error-text"], "e".repeat(4097)) }),
    "at most 4,096 bytes",
  ),
  bad(
    "error text not UTF-8",
    result({ status: 1, kind: 1, fields: field(TAGS["error-text"], NOT_UTF8) }),
    "error-text is UTF-8",
  ),
  bad("result with remaining time", result({ remaining: 1 }), "remaining is 0 in a RESULT"),
];

/** After a good frame, the bad one still counts. */
const AFTER_GOOD: readonly HostileCase[] = [
  bad(
    "a good frame, then length 0",
    bytes(frame({ type: TYPES.PING }), littleEndian(0, 4)),
    "the second frame is checked as the first",
  ),
  bad(
    "an ignored frame, then an unknown one",
    bytes(frame({ type: 99, flags: 1 }), frame({ type: 99 })),
    "the second frame is checked as the first",
  ),
];

export const HOSTILE_CASES: readonly HostileCase[] = [
  ...LENGTHS,
  ...INCOMPLETE,
  ...TYPES_AND_IDS,
  ...FIELDS,
  ...HANDSHAKE,
  ...CONTROL,
  ...ITEMS,
  ...PARTS,
  ...RESULTS,
  ...AFTER_GOOD,
];
