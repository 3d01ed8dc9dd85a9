import type { PysparkManifest } from "@clipper-serving/spec";
import { ImageError } from "./image-error.js";

/** What a PySpark model is locked to, and so must find where it is served. */
export interface PysparkTriple {
  readonly pythonMinor: string;
  readonly pyspark: Pick<PysparkManifest, "version" | "javaMajor">;
}

/** The Debian that has a Java: each release has one or two. */
const DEBIAN_OF_JAVA: Readonly<Record<number, string>> = { 17: "bookworm", 21: "trixie", 25: "trixie" };
/** Every PySpark runs on it. */
const JAVA_FOR_ALL = 17;

/** @param why half a sentence: what was looked at, and has no Java */
export function javaMissing(locked: PysparkTriple, why: string): ImageError {
  const { pythonMinor, pyspark } = locked;
  return new ImageError({
    code: "JAVA_MISSING",
    message: `PySpark ${pyspark.version} on Python ${pythonMinor} is to be served by Java ${pyspark.javaMajor}, and ${why}`,
    hint: howToMakeOne(locked),
    facts: factsOf(locked),
  });
}

/** Names Python, PySpark and Java of both sides. */
export function javaMismatch(
  locked: PysparkTriple,
  base: { readonly ref: string; readonly pythonMinor: string; readonly javaMajor: number },
): ImageError {
  const { pythonMinor, pyspark } = locked;
  return new ImageError({
    code: "JAVA_MISMATCH",
    message:
      `the model is locked to Python ${pythonMinor}, PySpark ${pyspark.version} and Java ${pyspark.javaMajor}, ` +
      `and ${base.ref} has Python ${base.pythonMinor} and Java ${base.javaMajor}`,
    hint: `set JAVA_HOME to a Java ${base.javaMajor} here and deploy again, or ${howToMakeOne(locked)}`,
    facts: { base: base.ref, baseJava: base.javaMajor, ...factsOf(locked) },
  });
}

function howToMakeOne({ pythonMinor, pyspark: { javaMajor } }: PysparkTriple): string {
  const isThere = DEBIAN_OF_JAVA[javaMajor] !== undefined;
  const major = isThere ? javaMajor : JAVA_FOR_ALL;
  const lines = [
    `FROM python:${pythonMinor}-slim-${DEBIAN_OF_JAVA[major]}`,
    `RUN apt-get update && apt-get install -y --no-install-recommends openjdk-${major}-jre-headless`,
  ];
  return (
    `${isThere ? "" : `deploy with Java ${major} here, and `}build an image of two lines, ` +
    `${lines.map((line) => `"${line}"`).join(" and ")}; name it for the cluster (images.pyspark, ` +
    `\`clipper up --image pyspark:${pythonMinor}=REF\`) or for one deploy (baseImage, \`--base-image REF\`)`
  );
}

function factsOf({ pythonMinor, pyspark }: PysparkTriple): Readonly<Record<string, unknown>> {
  return { python: pythonMinor, pyspark: pyspark.version, java: pyspark.javaMajor };
}
