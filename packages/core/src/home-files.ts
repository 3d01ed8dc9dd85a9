import { randomBytes } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";
import { ClipperError, ManagerError } from "@clipper-serving/spec";

/** Does what needs the home. What the file system refuses is told with what to do about it. @throws ManagerError `HOME_UNUSABLE` */
export async function inHome<Result>(home: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    if (ClipperError.isInstance(cause)) throw cause;
    throw new ManagerError({
      manager: "unknown",
      code: "HOME_UNUSABLE",
      message: `${home} cannot be used to remember clusters: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: "set CLIPPER_HOME to a directory you may write; `clipper doctor` looks at it",
      facts: { home },
      cause,
    });
  }
}

/** Whoever reads the file sees the old text or the new one. */
export async function replaceFile(file: string, text: string, mode: number): Promise<void> {
  const temporary = temporaryBeside(file);
  await writeFile(temporary, text, { mode });
  await rename(temporary, file);
}

export function temporaryBeside(file: string): string {
  return `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
}

export function ignoreMissing<Value>(value: Value): (error: NodeJS.ErrnoException) => Value {
  return (error) => {
    if (error.code === "ENOENT") return value;
    throw error;
  };
}
