/** What a `ClipperError` is made from. */
export interface ClipperErrorOptions {
  /** Stable across versions: what programs check. Upper case with underscores. */
  readonly code: string;
  /** One sentence with the actual values. */
  readonly message: string;
  /** What the reader can do about it, as a sentence; left out when there is nothing to do. */
  readonly hint?: string | undefined;
  /** The values the message speaks of, for programs. Never a secret. */
  readonly facts?: Readonly<Record<string, unknown>> | undefined;
  /** What went wrong underneath. */
  readonly cause?: unknown;
}

/** npm may install this package twice; both copies must recognise each other's errors, so the mark is a registered symbol. */
const MARK = Symbol.for("clipper-serving.error");

/**
 * What every error of the system derives from.
 *
 * `code` and the names of `facts` do not change between minor versions; messages may. Check with `X.isInstance(error)` or by
 * `error.code`, not with `instanceof`.
 */
export class ClipperError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor({ code, message, hint, facts, cause }: ClipperErrorOptions) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = hint;
    this.facts = facts ?? {};
    Object.defineProperty(this, MARK, { value: markOf(new.target) });
  }

  /** Whether `value` is an error of this class or of one derived from it, whichever copy of the package made it. */
  static isInstance<Class extends abstract new (...args: never[]) => ClipperError>(
    this: Class,
    value: unknown,
  ): value is InstanceType<Class> {
    if (typeof value !== "object" || value === null) return false;
    const marks = (value as Record<symbol, unknown>)[MARK];
    // biome-ignore lint/complexity/noThisInStatic: asked of a subclass, it must look for that subclass
    return Array.isArray(marks) && marks.includes(this.name);
  }

  /** Plain data for logs and REST answers: everything but the stack. */
  toJSON(): {
    name: string;
    code: string;
    message: string;
    hint?: string;
    facts: Readonly<Record<string, unknown>>;
  } {
    return {
      name: this.name,
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      facts: this.facts,
    };
  }
}

/** The names of a class and of all it derives from, up to ClipperError. */
function markOf(newTarget: abstract new (...args: never[]) => unknown): readonly string[] {
  const names: string[] = [];
  for (
    let at: unknown = newTarget;
    typeof at === "function" && at !== Error;
    at = Object.getPrototypeOf(at)
  ) {
    names.push(at.name);
  }
  return names;
}
