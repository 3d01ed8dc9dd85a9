import util from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import { FakeEngine } from "../test-support/fake-engine.js";
import { EngineClient } from "./engine-client.js";

describe("EngineClient", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("does not have each request formatted for a log, with all that hangs on it", async () => {
    await using fake = await FakeEngine.start();
    const client = new EngineClient({ kind: "socket", path: fake.socket });
    const formatted = vi.spyOn(util, "inspect");
    const { signal } = new AbortController();
    await Promise.all(
      Array.from({ length: 20 }, () => client.json({ method: "GET", path: "/version", signal })),
    );
    client.close();
    const lengths = formatted.mock.results.map(({ value }) => String(value).length);
    expect(lengths).toHaveLength(20);
    expect(Math.max(...lengths)).toBeLessThan(500);
  });
});
