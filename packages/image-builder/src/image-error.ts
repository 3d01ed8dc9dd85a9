import { ClipperError } from "@clipper-serving/spec";

/**
 * Why an image could not be worked out. Stable.
 * `PYTHON_MISMATCH`, `PLATFORM_MISMATCH`: the base is for another Python or another machine than what goes on it · `LIBC_MISMATCH`: it
 * has musl, and what goes on it is for glibc · `PYTHON_UNKNOWN`: the base does not tell which Python it has · `JAVA_MISSING`, `JAVA_MISMATCH`: the base has no Java for PySpark, or another one than the model is
 * locked to · `LAYER_INPUT`: a file cannot be part of a layer · `LAYER_CHANGED`: what a layer is made of
 * changed since it was hashed · `BYTECODE_FAILED`: Python could not compile the environment.
 */
export type ImageErrorCode =
  | "PYTHON_MISMATCH"
  | "PLATFORM_MISMATCH"
  | "LIBC_MISMATCH"
  | "PYTHON_UNKNOWN"
  | "JAVA_MISSING"
  | "JAVA_MISMATCH"
  | "LAYER_INPUT"
  | "LAYER_CHANGED"
  | "BYTECODE_FAILED";

/** An image could not be worked out. Nothing was put anywhere. */
export class ImageError extends ClipperError {
  constructor(options: {
    code: ImageErrorCode;
    message: string;
    hint?: string;
    facts?: Readonly<Record<string, unknown>>;
    cause?: unknown;
  }) {
    super(options);
  }
}
