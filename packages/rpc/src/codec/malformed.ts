import { ProtocolError } from "@clipper-serving/spec";

/** @returns the error for bytes that are not the protocol; `facts` are numbers and names, never contents */
export function malformed(message: string, facts?: Readonly<Record<string, unknown>>): ProtocolError {
  return new ProtocolError(facts === undefined ? { message } : { message, facts });
}
