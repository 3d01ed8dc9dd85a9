export type ProcessEnvironment = ReadonlyMap<string, string>;

/** Reads what /proc/PID/environ holds. */
export function parseEnvironment(text: string): ProcessEnvironment {
  return new Map(
    text.split("\0").map((entry) => {
      const at = entry.indexOf("=");
      return [entry.slice(0, at), entry.slice(at + 1)] as const;
    }),
  );
}
