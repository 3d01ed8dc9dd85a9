import { StoreSettingsError } from "./store-errors.js";

/** Without these Redis acknowledges what a crash, a full memory or a power cut then takes away. */
const NEEDED = {
  appendonly: "yes",
  appendfsync: "always",
  "no-appendfsync-on-rewrite": "no",
  "maxmemory-policy": "noeviction",
} as const;

const AS_OPTIONS = Object.entries(NEEDED)
  .map(([name, value]) => `--${name} ${value}`)
  .join(" ");

/**
 * @param configGet `CONFIG GET`
 * @throws StoreSettingsError
 */
export async function checkRedisSettings(
  place: string,
  configGet: (name: string) => Promise<Readonly<Record<string, string>>>,
): Promise<void> {
  const names = Object.keys(NEEDED) as (keyof typeof NEEDED)[];
  const found = await Promise.all(names.map((name) => configGet(name))).catch((cause: unknown) => {
    if (!/^(NOPERM|ERR unknown command)/.test((cause as Error).message)) throw cause;
    throw new StoreSettingsError({
      place,
      message: "does not tell its settings, so that nobody knows whether it keeps what it acknowledges",
      hint: "allow the user that: ACL SETUSER <user> +config|get",
      settings: {},
    });
  });
  const actual = Object.assign({}, ...found) as Readonly<Record<string, string | undefined>>;
  const wrong = names.filter((name) => actual[name] !== NEEDED[name]);
  if (wrong.length === 0) return;
  const told = wrong.map((name) => `${name} is ${actual[name] ?? "unknown"}, not ${NEEDED[name]}`).join("; ");
  throw new StoreSettingsError({
    place,
    message: `may lose what it acknowledges: ${told}`,
    hint: `start it with ${AS_OPTIONS}, or CONFIG SET each of them and CONFIG REWRITE`,
    settings: Object.fromEntries(wrong.map((name) => [name, actual[name]])),
  });
}
