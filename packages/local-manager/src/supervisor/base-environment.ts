/** What instances, and the supervisor itself, keep of the environment of whoever started it: nothing that could be a secret. */
const KEPT: ReadonlySet<string> = new Set([
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "LANGUAGE",
  "TZ",
  "TMPDIR",
  "LD_LIBRARY_PATH",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "JAVA_HOME",
]);

export function baseEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && (KEPT.has(entry[0]) || entry[0].startsWith("LC_")),
    ),
  );
}
