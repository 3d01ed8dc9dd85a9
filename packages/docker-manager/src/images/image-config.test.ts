import { expect, it } from "vitest";
import { isForPlatform } from "./image-config.js";

it("tells a variant of a platform from a platform whose name only begins the same", () => {
  const image = (Architecture: string, Variant?: string) => ({
    Id: "sha256:0",
    Os: "linux",
    Architecture,
    RootFS: {},
    Config: null,
    ...(Variant === undefined ? {} : { Variant }),
  });
  expect(isForPlatform(image("arm64", "v8"), "linux/arm64")).toBe(true);
  expect(isForPlatform(image("arm64"), "linux/arm64")).toBe(true);
  expect(isForPlatform(image("arm64"), "linux/arm")).toBe(false);
  expect(isForPlatform(image("amd64"), "linux/arm64")).toBe(false);
});
