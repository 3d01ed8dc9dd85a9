/*
 * Frames laid out by hand, straight from docs/architecture/wire.md and without the codec: what the fixtures are made with,
 * so that codec and fixtures cannot be wrong together. Every length can be given falsely.
 */

export const TAGS = {
  magic: 1,
  "version-min": 2,
  "version-max": 3,
  role: 4,
  model: 5,
  version: 6,
  replica: 7,
  incarnation: 8,
  "bundle-digest": 9,
  features: 10,
  "input-type": 11,
  nonce: 12,
  proof: 13,
  epoch: 14,
  "max-frame": 15,
  reason: 16,
  text: 17,
  age: 18,
  "queue-depth": 19,
  address: 20,
  queue: 21,
  service: 22,
  "batch-size": 23,
  "max-batch": 24,
  "request-id": 32,
  trace: 33,
  "error-text": 34,
} as const;

export const TYPES = {
  HELLO: 1,
  CHALLENGE: 2,
  PROOF: 3,
  WELCOME: 4,
  REJECT: 5,
  BEAT: 6,
  PING: 7,
  PONG: 8,
  CANCEL: 9,
  PEERS: 10,
  DRAIN: 11,
  RECYCLE: 12,
  PREDICT: 16,
  RESULT: 17,
} as const;

const DATATYPE_NUMBERS: Readonly<Record<string, number>> = {
  BOOL: 1,
  UINT8: 2,
  UINT16: 3,
  UINT32: 4,
  UINT64: 5,
  INT8: 6,
  INT16: 7,
  INT32: 8,
  INT64: 9,
  FP16: 10,
  FP32: 11,
  FP64: 12,
  BYTES: 13,
  JSON: 14,
};

/** How each field's value is written: an integer of so many bytes, hex digits, or text. */
const WIDTHS: Readonly<Record<string, 1 | 2 | 4 | 8 | "hex" | "text">> = {
  magic: "hex",
  "version-min": 2,
  "version-max": 2,
  role: 1,
  incarnation: "hex",
  features: 4,
  nonce: "hex",
  proof: "hex",
  epoch: 8,
  "max-frame": 4,
  age: 8,
  "queue-depth": 4,
  queue: 8,
  service: 8,
  "batch-size": 4,
  "max-batch": 4,
};

export type FieldName = keyof typeof TAGS;
export type FieldValue = number | string | readonly string[];
export type Header = { readonly [Name in FieldName]?: FieldValue };

export function bytes(...parts: (Uint8Array | string | number)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.of(part) : Buffer.from(part))));
}

export function littleEndian(value: number | bigint, width: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer.subarray(0, width);
}

function padding(length: number): Buffer {
  return Buffer.alloc((8 - (length % 8)) % 8);
}

export function field(tag: number, value: Uint8Array | string, claimedLength?: number): Buffer {
  const data = Buffer.from(value);
  return bytes(littleEndian(tag, 2), littleEndian(claimedLength ?? data.length, 2), data);
}

export function header(fields: Header): Buffer {
  return bytes(
    ...Object.entries(fields).flatMap(([name, value]) => {
      const values = Array.isArray(value) ? value : [value];
      return values.map((single) => field(TAGS[name as FieldName], fieldValue(name, single)));
    }),
  );
}

function fieldValue(name: string, value: number | string): Buffer {
  const width = WIDTHS[name] ?? "text";
  if (typeof width === "number") return littleEndian(value as number, width);
  return Buffer.from(value as string, width === "hex" ? "hex" : "utf8");
}

export interface FrameParts {
  readonly type: number;
  readonly flags?: number;
  readonly id?: number | bigint;
  readonly header?: Uint8Array;
  readonly claimedHeaderLength?: number;
  /** Padded for, and absent when left out. */
  readonly body?: Uint8Array;
  readonly claimedLength?: number;
}

export function frame(parts: FrameParts): Buffer {
  const fields = parts.header ?? new Uint8Array();
  const head = bytes(
    parts.type,
    parts.flags ?? 0,
    littleEndian(parts.claimedHeaderLength ?? fields.length, 2),
    littleEndian(parts.id ?? 0, 8),
    fields,
  );
  const rest = parts.body === undefined ? head : bytes(head, padding(head.length + 4), parts.body);
  return bytes(littleEndian(parts.claimedLength ?? rest.length, 4), rest);
}

export interface PartParts {
  readonly name?: string | Uint8Array;
  readonly datatype: number;
  readonly shape?: readonly number[];
  readonly data?: Uint8Array;
  readonly claimedDimensions?: number;
  readonly claimedNameLength?: number;
  readonly claimedDataLength?: number;
}

export function part(parts: PartParts): Buffer {
  const name = Buffer.from(parts.name ?? "input");
  const data = parts.data ?? new Uint8Array();
  const shape = parts.shape ?? [];
  const head = bytes(
    parts.datatype,
    parts.claimedDimensions ?? shape.length,
    littleEndian(parts.claimedNameLength ?? name.length, 2),
    littleEndian(parts.claimedDataLength ?? data.length, 4),
    ...shape.map((extent) => littleEndian(extent, 4)),
    name,
  );
  return bytes(head, padding(head.length), data, padding(data.length));
}

export interface ItemParts {
  readonly id?: number | bigint;
  readonly status?: number;
  readonly kind?: number;
  readonly remaining?: number;
  readonly zero?: number;
  readonly fields?: Uint8Array;
  readonly parts?: readonly Uint8Array[];
  readonly claimedLength?: number;
  readonly claimedHeaderLength?: number;
  readonly claimedParts?: number;
}

export function item(options: ItemParts): Buffer {
  const fields = options.fields ?? new Uint8Array();
  const parts = options.parts ?? [];
  const rest = bytes(fields, padding(fields.length), ...parts);
  return bytes(
    littleEndian(options.claimedLength ?? 24 + rest.length, 4),
    options.status ?? 0,
    options.kind ?? 0,
    littleEndian(options.claimedHeaderLength ?? fields.length, 2),
    littleEndian(options.id ?? 1, 8),
    littleEndian(options.remaining ?? 0, 4),
    littleEndian(options.claimedParts ?? parts.length, 2),
    littleEndian(options.zero ?? 0, 2),
    rest,
  );
}

export function itemsBody(items: readonly Uint8Array[], claimedCount = items.length, zero = 0): Buffer {
  return bytes(littleEndian(claimedCount, 4), littleEndian(zero, 4), ...items);
}

export function cancelBody(ids: readonly (number | bigint)[], claimedCount = ids.length): Buffer {
  return bytes(littleEndian(claimedCount, 4), littleEndian(0, 4), ...ids.map((id) => littleEndian(id, 8)));
}

/** One part as the fixtures write it. */
export interface FixturePart {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly dataHex: string;
}

/** One item as the fixtures write it: numbers as on the wire, "" for a field that is absent. */
export interface FixtureItem {
  readonly id: number;
  readonly status: number;
  readonly kind: number;
  readonly remainingMicros: number;
  readonly requestId: string;
  readonly trace: string;
  readonly errorText: string;
  readonly parts: readonly FixturePart[];
}

export interface FixtureFrame {
  readonly type: keyof typeof TYPES;
  readonly id: number;
  readonly mayIgnore: boolean;
  readonly header: Header;
  readonly items: readonly FixtureItem[];
  readonly cancel: readonly number[];
}

/** @returns the bytes of a frame described as in `fixtures/golden.json` */
export function layOut(description: FixtureFrame): Buffer {
  const body = bodyOf(description);
  return frame({
    type: TYPES[description.type],
    flags: description.mayIgnore ? 1 : 0,
    id: description.id,
    header: header(description.header),
    ...(body === undefined ? {} : { body }),
  });
}

function bodyOf({ type, items, cancel }: FixtureFrame): Buffer | undefined {
  if (type === "CANCEL") return cancelBody(cancel);
  if (type === "PREDICT" || type === "RESULT") return itemsBody(items.map(layOutItem));
  return undefined;
}

function layOutItem(described: FixtureItem): Buffer {
  const fields = bytes(
    described.requestId === "" ? "" : field(TAGS["request-id"], described.requestId),
    described.trace === "" ? "" : field(TAGS.trace, described.trace),
    described.errorText === "" ? "" : field(TAGS["error-text"], described.errorText),
  );
  return item({
    id: described.id,
    status: described.status,
    kind: described.kind,
    remaining: described.remainingMicros,
    fields,
    parts: described.parts.map(({ name, datatype, shape, dataHex }) =>
      part({ name, datatype: DATATYPE_NUMBERS[datatype] ?? 0, shape, data: Buffer.from(dataHex, "hex") }),
    ),
  });
}
