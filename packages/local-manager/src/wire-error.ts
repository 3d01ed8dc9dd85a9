import {
  ClipperError,
  InvalidArgumentError,
  ManagerError,
  NotFoundError,
  PortTakenError,
  type ResourceKind,
  UnsupportedError,
} from "@clipper-serving/spec";
import type { WireError } from "./protocol.js";

export const MANAGER = "local";

export function toWireError(error: unknown): WireError {
  if (ClipperError.isInstance(error)) return error.toJSON();
  const message = error instanceof Error ? error.message : String(error);
  return { name: "ManagerError", code: "MANAGER_FAILED", message, facts: {} };
}

/** The error a supervisor told of, as one of its class: callers check with `isInstance`. */
export function fromWireError({ name, code, message, hint, facts }: WireError): ClipperError {
  const text = (fact: string): string => String(facts[fact] ?? "");
  switch (name) {
    case "PortTakenError": {
      const holder = typeof facts.holder === "string" ? { holder: facts.holder } : {};
      return new PortTakenError({ manager: MANAGER, port: Number(facts.port), ...holder });
    }
    case "NotFoundError":
      return new NotFoundError({ kind: facts.kind as ResourceKind, name: text("name"), message });
    case "UnsupportedError":
      return new UnsupportedError({
        manager: MANAGER,
        what: text("what"),
        ...(hint === undefined ? {} : { hint }),
      });
    case "InvalidArgumentError":
      return new InvalidArgumentError({
        argument: text("argument"),
        value: facts.value,
        expected: text("expected"),
        ...(hint === undefined ? {} : { hint }),
      });
    default:
      return new ManagerError({ manager: MANAGER, code, message, hint, facts });
  }
}
