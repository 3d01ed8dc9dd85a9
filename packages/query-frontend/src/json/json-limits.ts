/** Bounds of a prediction request's body, beside its bytes. */
export interface JsonLimits {
  readonly maxDepth: number;
  /** Members of all objects together. */
  readonly maxKeys: number;
  readonly maxBatch: number;
  /** Elements of all inputs together. */
  readonly maxElements: number;
}

export const DEFAULT_JSON_LIMITS: JsonLimits = {
  maxDepth: 16,
  maxKeys: 32,
  maxBatch: 4_096,
  maxElements: 4 * 1024 * 1024,
};
