/** One way in that a registry offers. */
export interface Challenge {
  /** In small letters: `bearer`, `basic`. */
  readonly scheme: string;
  /** By their names in small letters. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** A word, or a name with its value, quoted or not. */
const PART = /([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+))?/g;

/**
 * Takes a `WWW-Authenticate` apart, of which an answer may have several: `fetch` joins them by commas, as it may find them in one line.
 * @see RFC 9110, 11.6.1
 */
export function challengesIn(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  for (const [, name = "", value] of header.matchAll(PART)) {
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: {} });
    else Object.assign(challenges.at(-1)?.parameters ?? {}, { [name.toLowerCase()]: unquoted(value) });
  }
  return challenges;
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value;
}
