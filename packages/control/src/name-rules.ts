import {
  checkName,
  InvalidArgumentError,
  InvalidNameError,
  type NameKind,
  RESERVED_APPLICATION_NAMES,
} from "@clipper-serving/spec";

/**
 * `strict`: DNS-1123 labels, what our own interface takes. `clipper`: also the upper case, `_` and `.` that Clipper's clients send;
 * names are data, and a workload's id is a hash, so that no platform ever sees them.
 */
export type NameRules = "strict" | "clipper";

/** How a request is to be read. */
export interface RequestOptions {
  /** Default `strict`. */
  readonly names?: NameRules;
}

const CLIPPER_NAME_PATTERN = /^[A-Za-z0-9][-A-Za-z0-9_.]{0,62}$/;

/** What Clipper calls the three things its separators may not be in. */
type LabelledKind = "model name" | "model version" | "label";

export function checkApplicationName(name: string, rules: NameRules = "strict"): void {
  if (rules === "strict") checkName("application", name);
  else checkClipperName("application", name);
}

export function checkModelName(name: string, rules: NameRules = "strict"): void {
  checkSeparators("model name", name);
  if (rules === "strict") checkName("model", name);
  else checkClipperName("model", name);
}

export function checkVersionName(name: string, rules: NameRules = "strict"): void {
  checkSeparators("model version", name);
  if (rules === "strict") checkName("version", name);
  else checkClipperName("version", name);
}

export function checkLabel(label: string): void {
  checkSeparators("label", label);
  if (label === "" || label.length > 255) {
    throw new InvalidArgumentError({ argument: "label", value: label, expected: "1 to 255 characters long" });
  }
}

function checkClipperName(kind: NameKind, name: string): void {
  const reserved = kind === "application" && RESERVED_APPLICATION_NAMES.has(name);
  if (reserved || !CLIPPER_NAME_PATTERN.test(name)) {
    throw new InvalidNameError({
      kind,
      name,
      pattern: CLIPPER_NAME_PATTERN.source,
      ...(reserved ? { reserved } : {}),
    });
  }
}

function checkSeparators(kind: LabelledKind, text: string): void {
  if (!/[,:]/.test(text)) return;
  throw new InvalidArgumentError({
    argument: kind,
    value: text,
    expected: "free of ',' and ':'",
    message: `Invalid ${kind} supplied: ${text.slice(0, 80)}. Contains one of: ',', ':'`,
  });
}
