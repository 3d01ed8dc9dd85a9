import path from "node:path";
import type { CallOptions, ImageBase, ImageSink } from "@clipper-serving/spec";
import { firstProgram, pathsOf } from "./base-programs.js";
import { javaMismatch, javaMissing, type PysparkTriple } from "./java-refusals.js";
import type { PythonBase } from "./python-base.js";

/** The Java of a base. */
export interface BaseJava {
  /** What JAVA_HOME has to be for a program to start it: `/usr/lib/jvm/java-17-openjdk-amd64`. */
  readonly home: string;
  /** `17` */
  readonly major: number;
}

/** Where images keep a Java that neither JAVA_HOME nor PATH leads to. */
const USUAL_HOMES = ["/usr/lib/jvm/default-java", "/usr/lib/jvm/default-jvm", "/opt/java/openjdk"] as const;

/**
 * Looks for the Java that a PySpark model is to be served by, without running it: that of JAVA_HOME, else the `java` on PATH.
 * @throws ImageError `JAVA_MISSING`, `JAVA_MISMATCH`
 */
export async function findBaseJava(
  { sink, base: { image, python } }: { readonly sink: ImageSink; readonly base: PythonBase },
  locked: PysparkTriple,
  call: CallOptions = {},
): Promise<BaseJava> {
  const home = await javaHome(sink, image, call);
  if (home === undefined) throw javaMissing(locked, `${image.ref} has none`);
  const major = await majorOf(sink, image, home, call);
  if (major === undefined) throw javaMissing(locked, `${image.ref} does not tell which it has in ${home}`);
  if (major === locked.pyspark.javaMajor) return { home, major };
  throw javaMismatch(locked, { ref: image.ref, pythonMinor: python.minor, javaMajor: major });
}

async function javaHome(sink: ImageSink, image: ImageBase, call: CallOptions): Promise<string | undefined> {
  const told = image.config.env.JAVA_HOME;
  const javaIn = (home: string) => path.posix.resolve("/", home, "bin/java");
  const candidates = [
    ...(told === undefined ? [] : [javaIn(told)]),
    ...pathsOf(image, "java"),
    ...USUAL_HOMES.map(javaIn),
  ];
  const file = (await firstProgram(sink, image, candidates, call))?.file;
  return file?.endsWith("/bin/java") ? path.posix.resolve(file, "../..") : undefined;
}

/** Every Java has a `release` file but Debian's of old, whose directories tell it. */
async function majorOf(
  sink: ImageSink,
  image: ImageBase,
  home: string,
  call: CallOptions,
): Promise<number | undefined> {
  const release = path.posix.join(home, "release");
  const file = (await sink.files(image, [release], call)).get(release);
  const text = file?.kind === "file" ? Buffer.from(file.content ?? []).toString("utf8") : "";
  const digits = /^JAVA_VERSION="?(?:1\.)?(\d+)/m.exec(text)?.[1] ?? IN_NAME.exec(home)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** `java-17-openjdk-amd64`, `java-1.8.0-openjdk`, `jdk-21.0.2`, `temurin-17-jre` */
const IN_NAME = /(?:java|jdk|jre|openjdk|temurin|zulu|corretto)-?(?:1\.)?(\d+)/;
