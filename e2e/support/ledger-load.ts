import { Agent, request } from "node:http";

/** What one request came to. */
export interface LedgerEntry {
  /** Unique; the model gives it back. */
  readonly id: number;
  /** When it was to be sent, ms from the load's start. */
  readonly dueMs: number;
  readonly latencyMs: number;
  /** 0 when the connection failed. */
  readonly status: number;
  /** The version that answered, for an answer of a model. */
  readonly version?: string;
  readonly defaultReason?: string;
  /** Why it counts as wrong: a lost, swapped or malformed answer. */
  readonly wrong?: string;
}

export interface Ledger {
  readonly entries: readonly LedgerEntry[];
  /** Answers that a model gave. */
  readonly answered: readonly LedgerEntry[];
  readonly defaults: readonly LedgerEntry[];
  /** Everything that was not a 2xx. */
  readonly failed: readonly LedgerEntry[];
  readonly wrong: readonly LedgerEntry[];
}

export interface LoadOptions {
  readonly url: string;
  readonly app: string;
  /** Requests a second, sent when they are due whatever came back: an open loop. */
  readonly rate: number;
  /** At most this many ms, whatever happens. */
  readonly maxMs: number;
}

/**
 * A load in which every request carries an id of its own as its one double, and models answer `{"v": VERSION, "id": ID}`, so that lost, doubled
 * and swapped answers are each seen. Runs until `stop()` or `maxMs`.
 */
export function startLoad({ url, app, rate, maxMs }: LoadOptions): {
  stop(): Promise<Ledger>;
  readonly sent: () => number;
} {
  const agent = new Agent({ keepAlive: true, maxSockets: 128 });
  const target = `${url}/${app}/predict`;
  const startedAt = performance.now();
  const pending: Promise<LedgerEntry>[] = [];
  const timer = setInterval(() => {
    const elapsed = performance.now() - startedAt;
    if (elapsed > maxMs) clearInterval(timer);
    for (let due = Math.floor((elapsed / 1_000) * rate); pending.length < due; ) {
      const id = pending.length;
      pending.push(ask(agent, target, id, (id / rate) * 1_000, startedAt));
    }
  }, 2);
  return {
    sent: () => pending.length,
    async stop() {
      clearInterval(timer);
      const entries = await Promise.all(pending);
      agent.destroy();
      return {
        entries,
        answered: entries.filter(({ version }) => version !== undefined),
        defaults: entries.filter(({ defaultReason }) => defaultReason !== undefined),
        failed: entries.filter(({ status }) => status < 200 || status > 299),
        wrong: entries.filter(({ wrong }) => wrong !== undefined),
      };
    },
  };
}

function ask(agent: Agent, url: string, id: number, dueMs: number, startedAt: number): Promise<LedgerEntry> {
  return new Promise((resolve) => {
    const settle = (rest: Omit<LedgerEntry, "id" | "dueMs" | "latencyMs">) =>
      resolve({ id, dueMs, latencyMs: performance.now() - startedAt - dueMs, ...rest });
    const body = JSON.stringify({ input: [id] });
    const outgoing = request(
      url,
      {
        agent,
        method: "POST",
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
      },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        answer.on("end", () => settle(read(answer.statusCode ?? 0, text, id)));
        answer.on("error", (error) => settle({ status: 0, wrong: error.message }));
      },
    );
    outgoing.on("error", (error) => settle({ status: 0, wrong: error.message }));
    outgoing.end(body);
  });
}

function read(status: number, text: string, id: number): Omit<LedgerEntry, "id" | "dueMs" | "latencyMs"> {
  if (status !== 200) return { status };
  const body = JSON.parse(text) as {
    default: boolean;
    default_reason?: string;
    output: { v: string; id: number };
  };
  if (body.default) return { status, defaultReason: body.default_reason ?? "none given" };
  if (body.output?.id !== id) return { status, wrong: `asked with ${id}, got ${text}` };
  return { status, version: body.output.v };
}
