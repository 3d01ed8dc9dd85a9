import { expect, it } from "vitest";
import { hostPlatform } from "./host-platform.js";

const machine = (platform: NodeJS.Platform, arch: NodeJS.Architecture) => ({ ...process, platform, arch });

it("names Linux with glibc as images do, and nothing else", () => {
  const yes = () => true;
  expect(hostPlatform(machine("linux", "x64"), yes)).toBe("linux/amd64");
  expect(hostPlatform(machine("linux", "arm64"), yes)).toBe("linux/arm64");
  expect(hostPlatform(machine("linux", "riscv64"), yes)).toBeUndefined();
  expect(hostPlatform(machine("darwin", "arm64"), yes)).toBeUndefined();
  expect(hostPlatform(machine("linux", "x64"), () => false)).toBeUndefined();
});
