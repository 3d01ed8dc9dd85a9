import type { Payload, PayloadPart } from "@clipper-serving/spec";
import type { Frame, ResultItem } from "../codec/frames.js";
import { ERROR_KINDS, ROLES } from "../codec/wire-format.js";
import type { FixtureFrame, FixtureItem, FixturePart, Header } from "./frame-bytes.ts";

/** A frame as the fixtures describe frames, so that the two can be compared. Written against the page, not the codec. */
export function describe(frame: Frame): FixtureFrame {
  return {
    type: frame.type,
    id: frame.id,
    mayIgnore: frame.mayIgnore,
    header: headerOf(frame),
    items:
      frame.type === "PREDICT"
        ? frame.items.map((attempt) =>
            item(attempt.id, {
              remainingMicros: attempt.remainingMicros,
              requestId: attempt.requestId ?? "",
              trace: attempt.trace ?? "",
              parts: parts(attempt.input),
            }),
          )
        : frame.type === "RESULT"
          ? frame.items.map(resultItem)
          : [],
    cancel: frame.type === "CANCEL" ? frame.ids : [],
  };
}

function headerOf(frame: Frame): Header {
  switch (frame.type) {
    case "HELLO":
      return {
        magic: Buffer.from("CLP4").toString("hex"),
        "version-min": frame.versionMin,
        "version-max": frame.versionMax,
        role: ROLES.indexOf(frame.role) + 1,
        model: frame.model,
        version: frame.version,
        "input-type": frame.inputType,
        replica: frame.replicaId,
        incarnation: frame.incarnation,
        "bundle-digest": frame.bundleDigest,
        features: frame.features,
        "max-batch": frame.maxBatchSize,
      };
    case "CHALLENGE":
      return { nonce: hex(frame.nonce) };
    case "PROOF":
      return { proof: hex(frame.proof) };
    case "WELCOME":
      return { "version-max": frame.version, epoch: frame.epoch, "max-frame": frame.maxFrameBytes };
    case "REJECT":
      return { reason: frame.reason, text: frame.text };
    case "BEAT":
      return { age: frame.ageMicros, "queue-depth": frame.queueDepth };
    case "PEERS":
      return frame.addresses.length === 0 ? {} : { address: frame.addresses };
    case "DRAIN":
    case "RECYCLE":
      return { text: frame.text };
    case "RESULT":
      return { queue: frame.queueMicros, service: frame.serviceMicros, "batch-size": frame.batchSize };
    default:
      return {};
  }
}

function item(id: number, rest: Partial<FixtureItem>): FixtureItem {
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

function resultItem(result: ResultItem): FixtureItem {
  if (result.status === "error") {
    return item(result.id, {
      status: 1,
      kind: ERROR_KINDS.indexOf(result.kind) + 1,
      errorText: result.message,
    });
  }
  return item(result.id, { status: result.status === "ok" ? 0 : 2, parts: parts(result.output) });
}

function parts(payload: Payload): FixturePart[] {
  return payload.parts.map(({ name, datatype, shape, data }: PayloadPart) => ({
    name,
    datatype,
    shape,
    dataHex: hex(data),
  }));
}

function hex(data: Uint8Array): string {
  return Buffer.from(data).toString("hex");
}
