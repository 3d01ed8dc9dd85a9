import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import { userInfo } from "node:os";
import { ManagerError } from "@clipper-serving/spec";
import { MANAGER } from "../wire-error.js";

/** Makes the directory for this user alone; in a directory for temporary files somebody else may have made it first. */
export function makePrivateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = lstatSync(path);
  if (!found.isDirectory() || found.uid !== userInfo().uid) {
    throw new ManagerError({
      manager: MANAGER,
      code: "DIRECTORY_NOT_OURS",
      message: `${path} belongs to somebody else`,
      hint: "remove it, or name another directory by the option runtimeDirectory",
      facts: { path },
    });
  }
  if ((found.mode & 0o077) !== 0) chmodSync(path, 0o700);
}
