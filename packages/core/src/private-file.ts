import type { Stats } from "node:fs";
import { RefusedError } from "@clipper-serving/spec";

/** @throws RefusedError `SECRET_READABLE` for a file of a secret that others may read */
export function checkPrivate(file: string, { mode }: Stats): void {
  if ((mode & 0o077) === 0) return;
  throw new RefusedError({
    code: "SECRET_READABLE",
    message: `others may read ${file}`,
    hint: `chmod 600 ${file}`,
    facts: { file },
  });
}
