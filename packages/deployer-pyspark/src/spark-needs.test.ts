import { describe, expect, it } from "vitest";
import { sparkNeeds } from "./spark-needs.js";

const here = { pyspark: "4.1.1", java: { home: "/jvm/17", version: "17.0.15", major: 17 } };
const MIB = 2 ** 20;

function needs(
  program: "image" | "directory",
  { conf, memoryBytes }: { conf?: Record<string, string>; memoryBytes?: number } = {},
) {
  const capabilities = {
    program,
    manyNodes: false,
    revives: true,
    volumes: true,
    gpus: false,
    logsOfExited: true,
  };
  return sparkNeeds(
    { capabilities },
    {
      spark: conf === undefined ? {} : { conf },
      resources: memoryBytes === undefined ? {} : { memoryBytes },
    },
    here,
  );
}

describe("sparkNeeds", () => {
  it("asks for scratch space that libraries can be loaded from, and for the Java that captured", () => {
    for (const program of ["image", "directory"] as const) {
      expect(needs(program)).toMatchObject({
        resources: { scratch: { bytes: 1_024 * MIB, executable: true } },
        pyspark: { version: "4.1.1", javaMajor: 17 },
      });
    }
  });

  it("tells a process where Java is, and leaves it to an image to tell of its own", () => {
    expect(needs("directory").env).toEqual({ JAVA_HOME: "/jvm/17" });
    expect(needs("image").env).toEqual({});
  });

  it.each([
    [4_096 * MIB, "2048m"],
    [1_024 * MIB, "512m"],
    [768 * MIB, "512m"],
  ])("of %d bytes of memory gives Spark's heap %s", (memoryBytes, heap) => {
    const { env, settings } = needs("image", { memoryBytes, conf: { "spark.a": "b" } });
    expect(JSON.parse(env?.CLIPPER_SPARK_CONF ?? "")).toEqual({
      "spark.driver.memory": heap,
      "spark.a": "b",
    });
    // another size of the same version is no other content
    expect(settings).toEqual({ threads: undefined, conf: { "spark.a": "b" } });
  });

  it("refuses memory that no session fits in", () => {
    expect(() => needs("image", { memoryBytes: 767 * MIB })).toThrow(
      "resources.memoryBytes must be at least 805306368 (768 MiB) for a PySpark model",
    );
  });

  it("leaves the heap to whoever sets it", () => {
    const conf = { "spark.driver.memory": "3g" };
    const { env } = needs("image", { memoryBytes: 4_096 * MIB, conf });
    expect(JSON.parse(env?.CLIPPER_SPARK_CONF ?? "")).toEqual(conf);
  });
});
