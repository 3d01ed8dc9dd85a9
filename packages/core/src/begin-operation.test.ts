import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ConflictError } from "@clipper-serving/spec";
import { describe, expect, it } from "vitest";
import { beginOperation } from "./begin-operation.js";
import { ManagementClient } from "./management-client.js";

const BODY = { kind: "scale", target: { model: "m", version: "1" } } as const;
const BEGUN = { unchanged: false, renewEveryMs: 1_000 };
const running = (leaseUntilMs: number) =>
  new ConflictError({ code: "OPERATION_RUNNING", message: "running", facts: { leaseUntilMs } });

describe("beginOperation", () => {
  /** Answers each request with the next of `answers`, and the last one again. */
  function management(answers: readonly unknown[], onAsked: () => void = () => {}) {
    let asked = 0;
    const client = {
      async beginOperation(_body: unknown, signal?: AbortSignal) {
        const answer = answers[Math.min(asked, answers.length - 1)];
        asked += 1;
        onAsked();
        signal?.throwIfAborted();
        if (answer instanceof Error) throw answer;
        return answer;
      },
    } as unknown as ManagementClient;
    return { client, asked: () => asked };
  }

  it("waits for a lease that is not renewed to end", async () => {
    const { client, asked } = management([running(1), running(1), BEGUN]);
    expect(await beginOperation(client, BODY)).toBe(BEGUN);
    expect(asked()).toBe(3);
  });

  it("asks each time for the same operation", async () => {
    const ids: unknown[] = [];
    const client = {
      async beginOperation({ id }: { readonly id?: string }) {
        ids.push(id);
        if (ids.length < 3) throw running(1);
        return BEGUN;
      },
    } as unknown as ManagementClient;
    await beginOperation(client, BODY);
    expect(ids).toEqual(Array.from({ length: 3 }, () => expect.stringMatching(/^op-[0-9a-f]{16}$/)));
    expect(new Set(ids).size).toBe(1);
  });

  it("gives way to a caller that renews", async () => {
    const { client } = management([running(1), running(2)]);
    await expect(beginOperation(client, BODY)).rejects.toMatchObject({ code: "OPERATION_RUNNING" });
  });

  it("waits for a deploy of the same content to its end, however long its caller lives", async () => {
    const same = (leaseUntilMs: number) =>
      new ConflictError({
        code: "OPERATION_RUNNING",
        message: "running",
        facts: { leaseUntilMs, contentDigest: "sha256:1" },
      });
    const deployed = { unchanged: true, renewEveryMs: 1_000 };
    const answers = [same(1), same(2), same(3), deployed];
    const body = { ...BODY, kind: "deploy", contentDigest: "sha256:1" } as const;
    expect(await beginOperation(management(answers).client, body)).toBe(deployed);
    const other = { ...body, contentDigest: "sha256:2" };
    await expect(beginOperation(management(answers).client, other)).rejects.toMatchObject({
      code: "OPERATION_RUNNING",
    });
  });

  it("ends with the signal's reason while it waits", async () => {
    const abort = new AbortController();
    const reason = new RangeError("enough");
    const { client } = management([running(1)], () => setImmediate(() => abort.abort(reason)));
    await expect(beginOperation(client, BODY, { signal: abort.signal })).rejects.toBe(reason);
  });

  it("gives back what began although it was called off meanwhile, so that it can be ended", async () => {
    const abort = new AbortController();
    const { client } = management([BEGUN], () => abort.abort());
    expect(await beginOperation(client, BODY, { signal: abort.signal })).toBe(BEGUN);
  });

  it("waits for no answer that does not come once it is called off", async () => {
    const sent = Promise.withResolvers<void>();
    const silent = createServer(() => sent.resolve()).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const client = new ManagementClient({ url: `http://127.0.0.1:${port}`, token: "t" });
    try {
      const abort = new AbortController();
      const begun = beginOperation(client, BODY, { signal: abort.signal });
      begun.catch(() => undefined);
      await sent.promise;
      const reason = new RangeError("enough");
      abort.abort(reason);
      await expect(begun).rejects.toBe(reason);
    } finally {
      silent.closeAllConnections();
      silent.close();
      await client.close();
    }
  });
});
