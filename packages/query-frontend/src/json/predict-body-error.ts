import { ClipperError } from "@clipper-serving/spec";

/** What can be wrong with the body of a prediction request. Stable: clients check them. */
export type PredictBodyCode =
  | "EMPTY_BODY"
  | "BAD_UTF8"
  | "BAD_JSON"
  | "NOT_OBJECT"
  | "TOO_DEEP"
  | "TOO_MANY_KEYS"
  | "DUPLICATE_KEY"
  | "FORBIDDEN_KEY"
  | "MISSING_INPUT"
  | "AMBIGUOUS_INPUT"
  | "TYPE"
  | "SHAPE"
  | "EMPTY_INPUT"
  | "EMPTY_BATCH"
  | "BATCH_TOO_LARGE"
  | "TOO_MANY_ELEMENTS"
  | "NON_FINITE"
  | "OUT_OF_RANGE"
  | "BAD_BASE64"
  | "BAD_UNICODE";

/** A caller's body is not a prediction request. Nothing was executed. */
export class PredictBodyError extends ClipperError {
  constructor(
    code: PredictBodyCode,
    message: string,
    facts?: { readonly pointer?: string; readonly offset?: number; readonly limit?: number },
  ) {
    super({ code, message, facts });
  }
}
