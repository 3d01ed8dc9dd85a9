/** The images that `setup` made, by what they are for. */
export interface TestImages {
  /** Python on Debian, and nothing of ours. */
  readonly base: string;
  /** `3.11` */
  readonly pythonMinor: string;
  readonly redis: string;
  /** As the base, with Java 17. */
  readonly java: string;
}

/** As the setup's lines say, whose defaults these are: a developer need not export them. */
export function testImages(): TestImages {
  const { env } = process;
  return {
    base: env.CLIPPER_TEST_BASE_IMAGE ?? "clipper-test/base:bookworm-1",
    pythonMinor: env.CLIPPER_TEST_BASE_PYTHON ?? "3.11",
    redis: env.CLIPPER_TEST_REDIS_IMAGE ?? "clipper-test/base:bookworm-1",
    java: env.CLIPPER_TEST_JAVA_IMAGE ?? "clipper-test/java:bookworm-1",
  };
}
