import { describe, expect, it } from "vitest";
import { findBaseJava } from "./java-base.js";
import { inspectPythonBase } from "./python-base.js";
import { debianPython, sinkWithBase, type TestBase } from "./test-support/base-image.js";

const pyspark = { version: "4.1.1", javaMajor: 17 };
const home = "/usr/lib/jvm/java-17-openjdk-amd64";
const debianJava = {
  ...debianPython,
  "/usr/bin/java": { link: "/etc/alternatives/java" },
  "/etc/alternatives/java": { link: `${home}/bin/java` },
  [`${home}/bin/java`]: { size: 14_416 },
  [`${home}/release`]: 'IMPLEMENTOR="Debian"\nJAVA_VERSION="17.0.15"\n',
} as const;

async function find(base: TestBase, javaMajor = 17) {
  const sink = sinkWithBase(base);
  const python = await inspectPythonBase({ sink, ref: "base:1" });
  return findBaseJava({ sink, base: python }, { pythonMinor: "3.11", pyspark: { ...pyspark, javaMajor } });
}

describe("findBaseJava", () => {
  it("finds the Java behind the java on PATH", async () => {
    expect(await find({ files: debianJava })).toEqual({ home, major: 17 });
  });

  it("takes that of JAVA_HOME first, as Spark does", async () => {
    const files = {
      ...debianJava,
      "/srv/jdk/bin/java": { size: 1 },
      "/srv/jdk/release": "JAVA_VERSION=21\n",
    };
    expect(await find({ files, env: { JAVA_HOME: "/srv/jdk" } }, 21)).toEqual({
      home: "/srv/jdk",
      major: 21,
    });
  });

  it("goes on to PATH where JAVA_HOME leads nowhere", async () => {
    expect(await find({ files: debianJava, env: { JAVA_HOME: "/gone" } })).toEqual({ home, major: 17 });
  });

  it("finds one in a usual place that nothing leads to", async () => {
    const files = {
      ...debianPython,
      "/opt/java/openjdk/bin/java": { size: 1 },
      "/opt/java/openjdk/release": 'JAVA_VERSION="1.8.0_412"\n',
    };
    expect(await find({ files }, 8)).toEqual({ home: "/opt/java/openjdk", major: 8 });
  });

  it.each([
    ["/usr/lib/jvm/java-17-openjdk-arm64", 17],
    ["/usr/lib/jvm/java-1.8.0-openjdk/jre", 8],
    ["/opt/jdk-21.0.2", 21],
  ])("reads the version off %s where there is no release file", async (place, major) => {
    const files = {
      ...debianPython,
      "/usr/bin/java": { link: `${place}/bin/java` },
      [`${place}/bin/java`]: { size: 1 },
    };
    expect(await find({ files }, major)).toEqual({ home: place, major });
  });

  it.each([
    ["without Java", debianPython, "base:1 has none"],
    [
      "whose link leads nowhere",
      { ...debianPython, "/usr/bin/java": { link: "/gone/bin/java" } },
      "base:1 has none",
    ],
    [
      "that does not tell which",
      { ...debianPython, "/usr/bin/java": { size: 1 } },
      "does not tell which it has in /usr",
    ],
  ])("refuses a base %s, and says how to make one that will do", async (_what, files, why) => {
    await expect(find({ files })).rejects.toMatchObject({
      code: "JAVA_MISSING",
      message: expect.stringContaining(`PySpark 4.1.1 on Python 3.11 is to be served by Java 17, and`),
      hint: expect.stringMatching(
        /"FROM python:3\.11-slim-bookworm" and "RUN apt-get .* openjdk-17-jre-headless".*--image pyspark:3\.11=REF/,
      ),
    });
    await expect(find({ files })).rejects.toThrow(why);
  });

  it("refuses another Java than the model is locked to, naming both sides", async () => {
    await expect(find({ files: debianJava }, 21)).rejects.toMatchObject({
      code: "JAVA_MISMATCH",
      message:
        "the model is locked to Python 3.11, PySpark 4.1.1 and Java 21, and base:1 has Python 3.11 and Java 17",
      hint: expect.stringMatching(
        /JAVA_HOME to a Java 17.*python:3\.11-slim-trixie.*openjdk-21-jre-headless/,
      ),
    });
  });

  it("advises another Java where no Debian has the one that captured", async () => {
    await expect(find({ files: debianPython }, 8)).rejects.toMatchObject({
      hint: expect.stringMatching(/^deploy with Java 17 here, and .*bookworm.*openjdk-17-jre-headless/),
    });
  });
});
