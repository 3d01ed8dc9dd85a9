import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type {
  Address,
  FrontendReport,
  StateChange,
  StateHead,
  StateRecord,
  StateSnapshot,
  WatchEvent,
} from "@clipper-serving/spec";

export const TOKEN = "0123456789abcdefghijklmnopqrstuv";

/** As much of a management frontend as a query frontend sees of one: a real server, whose state tests change by hand. */
export class FakeManagement {
  readonly #server: Server = createServer((request, response) => this.#answer(request, response));
  readonly #streams = new Set<ServerResponse>();
  #records = new Map<string, StateRecord>();
  #head: StateHead = { epoch: "e1", revision: 0, hash: hash("e1 0") };
  /** Beats are sent only while this is true. */
  beats = true;
  readonly reports: FrontendReport[] = [];
  readonly watched: string[] = [];
  /** What frontends are told that it lacks, and what they sent. */
  snapshotWanted = false;
  readonly snapshots: StateSnapshot[] = [];
  readonly #timer = setInterval(() => this.beats && this.#tell({ type: "beat", head: this.#head }), 50);

  async start(port = 0): Promise<Address> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return { kind: "tcp", host: "127.0.0.1", port: (this.#server.address() as AddressInfo).port };
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  get head(): StateHead {
    return this.#head;
  }

  commit(...changes: readonly StateChange[]): void {
    const revision = this.#head.revision + 1;
    this.#head = { epoch: this.#head.epoch, revision, hash: hash(`${this.#head.epoch} ${revision}`) };
    for (const { kind, key, value } of changes) {
      if (value === undefined) this.#records.delete(`${kind} ${key}`);
      else this.#records.set(`${kind} ${key}`, { kind, key, value, revision });
    }
    this.#tell({ type: "commit", commit: { head: this.#head, changes } });
  }

  /** As if the store had been put back, or made anew; those who watch are told. */
  become(head: { epoch: string; revision: number }, records: readonly StateRecord[]): void {
    this.#head = { ...head, hash: hash(`${head.epoch} ${head.revision}`) };
    this.#records = new Map(records.map((record) => [`${record.kind} ${record.key}`, record]));
    this.#tell(this.#snapshot());
  }

  records(): StateRecord[] {
    return [...this.#records.values()];
  }

  endStreams(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.headers.authorization !== `Bearer ${TOKEN}`) {
      response.writeHead(401).end();
      return;
    }
    const url = new URL(request.url ?? "", "http://management");
    if (request.method === "GET" && url.pathname === "/v1/watch") {
      this.watched.push(url.search);
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      this.#streams.add(response);
      response.on("close", () => this.#streams.delete(response));
      const isCurrent = url.searchParams.get("hash") === this.#head.hash;
      const first: WatchEvent = isCurrent ? { type: "beat", head: this.#head } : this.#snapshot();
      response.write(`${JSON.stringify(first)}\n`);
      return;
    }
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      if (url.pathname.endsWith("/snapshot")) {
        this.snapshots.push(JSON.parse(body) as StateSnapshot);
        response.writeHead(204).end();
        return;
      }
      this.reports.push(JSON.parse(body) as FrontendReport);
      response.end(JSON.stringify({ leaseMs: 3_000, snapshotWanted: this.snapshotWanted }));
    });
  }

  #snapshot(): WatchEvent {
    return { type: "snapshot", snapshot: { head: this.#head, records: this.records() } };
  }

  #tell(event: WatchEvent): void {
    for (const stream of this.#streams) stream.write(`${JSON.stringify(event)}\n`);
  }
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
