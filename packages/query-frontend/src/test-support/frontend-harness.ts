import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BatchHandler, connectReplica, type ReplicaConnection } from "@clipper-serving/rpc";
import { type Address, type Attempt, type InputType, systemClock } from "@clipper-serving/spec";
import { pino } from "pino";
import { expect } from "vitest";
import { createLlhttpEdge } from "../edge/llhttp-edge.js";
import { type RawAnswer, RawClient } from "../edge/test-support/raw-client.js";
import { QueryFrontend } from "../query-frontend.js";
import { FakeManagement, TOKEN } from "./fake-management.js";
import { applicationRecord, put, versionRecord } from "./records.js";

/** A frontend with a management frontend, replicas and callers, all in this process and on real sockets. */
export class FrontendHarness {
  readonly management: FakeManagement;
  readonly frontend: QueryFrontend;
  readonly directory: string;
  readonly logLines: Record<string, unknown>[];
  readonly #open: (() => Promise<void> | void)[] = [];
  address: Address = { kind: "tcp", host: "127.0.0.1", port: 0 };
  #replicas = 0;

  private constructor(
    management: FakeManagement,
    frontend: QueryFrontend,
    directory: string,
    logLines: Record<string, unknown>[],
  ) {
    this.management = management;
    this.frontend = frontend;
    this.directory = directory;
    this.logLines = logLines;
  }

  static async start(): Promise<FrontendHarness> {
    const directory = await mkdtemp(join(tmpdir(), "clipper-qf-"));
    const management = new FakeManagement();
    const harness = FrontendHarness.#create(management, directory, { management: await management.start() });
    harness.address = (await harness.frontend.start()).query;
    await harness.until("/readyz", 200);
    return harness;
  }

  /** A frontend that starts with the same volume, its management frontend away; the caller stops it. */
  async another({ rpcElsewhere = false } = {}): Promise<FrontendHarness> {
    const harness = FrontendHarness.#create(this.management, this.directory, {
      management: { kind: "unix", path: join(this.directory, "nobody") },
      ...(rpcElsewhere ? { rpc: "elsewhere.sock" } : {}),
    });
    harness.address = (await harness.frontend.start()).query;
    return harness;
  }

  static #create(
    management: FakeManagement,
    directory: string,
    { management: address, rpc = "rpc.sock" }: { management: Address; rpc?: string },
  ): FrontendHarness {
    const logLines: Record<string, unknown>[] = [];
    const frontend = new QueryFrontend({
      id: "qf-1",
      listen: { kind: "tcp", host: "127.0.0.1", port: 0 },
      rpcAddresses: [`unix:${join(directory, rpc)}`],
      management: { address, token: async () => TOKEN },
      volume: directory,
      log: pino({ level: "debug" }, { write: (line: string) => logLines.push(JSON.parse(line)) }),
      clock: systemClock,
      createEdge: createLlhttpEdge,
      watchTimes: { idleMs: 400, minBackoffMs: 5, maxBackoffMs: 20 },
    });
    return new FrontendHarness(management, frontend, directory, logLines);
  }

  /** An application, its model at version 1, and one replica; resolves when a query would find it. */
  async serve(
    handler: (input: Buffer) => string,
    {
      application = "a",
      model = "m",
      inputType = "doubles" as InputType,
      sloMicros = 2_000_000,
    }: { application?: string; model?: string; inputType?: InputType; sloMicros?: number } = {},
  ): Promise<ReplicaConnection> {
    this.management.commit(
      put.application(applicationRecord(application, { model, inputType, latencySloMicros: sloMicros })),
      put.model(model, "1", inputType),
      put.version(versionRecord(model, "1", inputType)),
    );
    const replica = this.replica({ model, version: "1", inputType, handler: answering(handler) });
    await this.until(`/${application}/readyz`, 200);
    return replica;
  }

  replica({
    model,
    version,
    inputType = "doubles",
    handler,
  }: {
    model: string;
    version: string;
    inputType?: InputType;
    handler: BatchHandler;
  }): ReplicaConnection {
    const replica = connectReplica({
      addresses: [`unix:${join(this.directory, "rpc.sock")}`],
      identity: {
        model,
        version,
        replicaId: `replica-${++this.#replicas}`,
        inputType,
        bundleDigest: "",
        maxBatchSize: 0,
      },
      clock: systemClock,
      random: Math.random,
      handler,
    });
    this.#open.push(() => replica.close());
    return replica;
  }

  async client(): Promise<RawClient> {
    const client = await RawClient.to(this.address);
    this.#open.push(() => client.destroy());
    return client;
  }

  /** Sends one request on a connection of its own. */
  async call(
    method: string,
    path: string,
    { body = "", headers = {} }: { body?: string | Buffer; headers?: Record<string, string> } = {},
  ): Promise<RawAnswer> {
    const client = await this.client();
    const bytes = Buffer.from(body as string);
    const lines = Object.entries({ host: "localhost", "content-length": String(bytes.length), ...headers });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    client.send(Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${head}\r\n`, "latin1"), bytes]));
    const answer = await client.answer();
    client.destroy();
    return answer ?? expect.fail(`no answer to ${method} ${path}`);
  }

  async predict(
    body: unknown,
    application = "a",
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const answer = await this.call("POST", `/${application}/predict`, { body: text });
    return { status: answer.status, body: JSON.parse(answer.body) as Record<string, unknown> };
  }

  async until(path: string, status: number): Promise<void> {
    await expect.poll(async () => (await this.call("GET", path)).status, { timeout: 5_000 }).toBe(status);
  }

  /** The numbers of `/metrics`, by name and labels as they are written there. */
  async metrics(): Promise<Map<string, number>> {
    const { body } = await this.call("GET", "/metrics");
    const lines = body.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    return new Map(
      lines.map((line) => [
        line.slice(0, line.lastIndexOf(" ")),
        Number(line.slice(line.lastIndexOf(" ") + 1)),
      ]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#open.splice(0).reverse()) await close();
    await this.frontend.stop(100);
    await this.management.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** A model that answers every input by a function of its bytes. */
export function answering(handler: (input: Buffer, item: Attempt) => string): BatchHandler {
  return async (items) =>
    items.map((item) => {
      const data = item.input.parts[0]?.data ?? new Uint8Array();
      const text = handler(Buffer.from(data.buffer, data.byteOffset, data.byteLength), item);
      return {
        id: item.id,
        ok: true,
        output: { parts: [{ name: "output", datatype: "BYTES", shape: [], data: Buffer.from(text) }] },
      };
    });
}

/** Sums doubles, as text. */
export function sumDoubles(input: Buffer): string {
  let sum = 0;
  for (let at = 0; at < input.length; at += 8) sum += input.readDoubleLE(at);
  return String(sum);
}
