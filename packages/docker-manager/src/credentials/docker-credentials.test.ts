import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { askHelper } from "./credential-helper.js";
import { dockerCredentials, registryAuthHeader } from "./docker-credentials.js";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "dc-"));
  vi.stubEnv("DOCKER_CONFIG", directory);
  vi.stubEnv("PATH", `${directory}${delimiter}${process.env.PATH}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

function configure(configuration: object): void {
  writeFileSync(join(directory, "config.json"), JSON.stringify(configuration));
}

/** A helper that notes what it is asked, and answers `get` by this script; `list` and all else fail as some real ones do. */
function helper(name: string, script: string): void {
  const file = join(directory, `docker-credential-${name}`);
  writeFileSync(
    file,
    `#!/bin/sh\nread -r registry\necho "$1 $registry" >> ${directory}/asked\n[ "$1" = get ] || { echo "not implemented"; exit 1; }\n${script}\n`,
  );
  chmodSync(file, 0o755);
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

it("takes what is written in the file, under any of a registry's spellings", async () => {
  configure({
    auths: {
      "plain.example:5000": { auth: base64("me:pass:word") },
      "https://url.example/v1/": { auth: base64("you:there\0\0") },
      "https://index.docker.io/v1/": { identitytoken: "t0ken" },
      "split.example": { username: "u", password: "p" },
    },
  });
  expect(await dockerCredentials("plain.example:5000")).toEqual({ username: "me", password: "pass:word" });
  expect(await dockerCredentials("url.example")).toEqual({ username: "you", password: "there" });
  expect(await dockerCredentials("docker.io")).toEqual({ identityToken: "t0ken" });
  expect(await dockerCredentials("split.example")).toEqual({ username: "u", password: "p" });
  expect(await dockerCredentials("other.example")).toBeUndefined();
});

it("asks a registry's own helper before the store, and nothing but get", async () => {
  helper("own", `echo '{"ServerURL":"x","Username":"AWS","Secret":"long-token"}'`);
  helper("store", `echo '{"Username":"<token>","Secret":"identity"}'`);
  configure({ credsStore: "store", credHelpers: { "1.dkr.ecr.example": "own" } });
  expect(await dockerCredentials("1.dkr.ecr.example")).toEqual({ username: "AWS", password: "long-token" });
  expect(await dockerCredentials("docker.io")).toEqual({ identityToken: "identity" });
  expect(readFileSync(join(directory, "asked"), "utf8").split("\n")).toEqual([
    "get 1.dkr.ecr.example",
    "get https://index.docker.io/v1/",
    "",
  ]);
});

it("asks a registry as anybody when nobody has logged in", async () => {
  expect(existsSync(join(directory, "config.json"))).toBe(false);
  expect(await dockerCredentials("any.example")).toBeUndefined();
  helper("store", "echo 'credentials not found in native keychain'; exit 1");
  configure({ credsStore: "store", auths: { "any.example": {} } });
  expect(await dockerCredentials("any.example")).toBeUndefined();
  expect(JSON.parse(Buffer.from(registryAuthHeader(undefined, "any.example"), "base64").toString())).toEqual(
    {},
  );
});

it("says plainly that a helper is absent, fails, or answers something else", async () => {
  const failure = async (name: string): Promise<unknown> => {
    configure({ credHelpers: { "a.example": name } });
    return await dockerCredentials("a.example").catch((error: unknown) => error);
  };
  expect(await failure("not-there")).toMatchObject({
    code: "CREDENTIALS_FAILED",
    message: expect.stringContaining("docker-credential-not-there"),
    hint: expect.stringContaining("config.json"),
  });
  expect(await failure("not-there")).toMatchObject({ message: expect.stringContaining("is not on PATH") });
  helper("failing", "echo 'the vault is locked' >&2; exit 3");
  expect(await failure("failing")).toMatchObject({ message: expect.stringContaining("the vault is locked") });
  helper("odd", "echo 'S3CRET but no JSON'");
  const odd = await failure("odd");
  expect(odd).toMatchObject({ code: "CREDENTIALS_FAILED" });
  expect(String(odd)).not.toContain("S3CRET");
  expect(await failure("../up")).toMatchObject({ code: "CREDENTIALS_FAILED" });
});

it("does not wait for a helper that hangs", async () => {
  helper("hanging", "sleep 60");
  const asked = askHelper({ helper: "hanging", registry: "a.example", timeoutMs: 200 });
  await expect(asked).rejects.toMatchObject({
    code: "CREDENTIALS_FAILED",
    message: expect.stringContaining("did not answer within 200 ms"),
  });
});

it("writes credentials as an engine wants them", () => {
  const header = registryAuthHeader({ username: "ü?>", password: "~~~" }, "a.example");
  expect(header).not.toMatch(/[+/]/);
  const told = JSON.parse(Buffer.from(header, "base64url").toString()) as object;
  expect(told).toEqual({ username: "ü?>", password: "~~~", serveraddress: "a.example" });
});
