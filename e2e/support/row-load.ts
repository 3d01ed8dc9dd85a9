import { Agent, request } from "node:http";

/** A row of the data with what Spark itself answers for it. */
export interface ExpectedRow {
  readonly row: readonly number[];
  readonly label: number;
  /** Spark's probability of that label being 1. */
  readonly p: number;
}

export interface RowLoadOptions {
  readonly url: string;
  readonly app: string;
  readonly rows: readonly ExpectedRow[];
  /** Requests under way at once, at first and at most: each answer allows half a request more, as a client grows that watches its latency. */
  readonly window: { readonly first: number; readonly most: number };
  /** Requests in all. Default: until `stop()`. */
  readonly total?: number;
}

export interface RowLedger {
  readonly sent: number;
  /** Answers a version gave. */
  readonly answered: ReadonlyMap<string, number>;
  readonly defaults: readonly string[];
  readonly failed: readonly string[];
  /** Lost, swapped, or not what Spark answers. */
  readonly wrong: readonly string[];
  readonly seconds: number;
}

/**
 * A closed loop of rows, each with an id of its own, so that none is answered from the cache and every answer is told from every other.
 */
export function startRowLoad(options: RowLoadOptions): {
  readonly answered: () => number;
  readonly done: Promise<RowLedger>;
  stop(): Promise<RowLedger>;
} {
  const { url, app, rows, window, total = Number.POSITIVE_INFINITY } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: window.most });
  const answered = new Map<string, number>();
  const defaults: string[] = [];
  const failed: string[] = [];
  const wrong: string[] = [];
  const startedAt = performance.now();
  let [sent, under, width, answers, stopped] = [0, 0, window.first, 0, false];
  const { promise: done, resolve } = Promise.withResolvers<RowLedger>();

  const settle = (id: number, { status, text }: Answer) => {
    answers += 1;
    under -= 1;
    width = Math.min(window.most, width + 0.5);
    const said = readAnswer(status, text, id, rows[id % rows.length] as ExpectedRow);
    if ("version" in said) answered.set(said.version, (answered.get(said.version) ?? 0) + 1);
    else ({ failed, defaults, wrong })[said.kind].push(said.why);
    send();
  };
  const send = () => {
    while (!stopped && sent < total && under < Math.floor(width)) {
      const id = sent++;
      under += 1;
      const input = [...(rows[id % rows.length] as ExpectedRow).row, id];
      void post(agent, `${url}/${app}/predict`, JSON.stringify({ input })).then((answer) =>
        settle(id, answer),
      );
    }
    if (under > 0 || !(stopped || sent >= total)) return;
    agent.destroy();
    const seconds = (performance.now() - startedAt) / 1_000;
    resolve({ sent, answered, defaults, failed, wrong, seconds });
  };
  send();
  return {
    answered: () => answers,
    done,
    stop: () => {
      stopped = true;
      send();
      return done;
    },
  };
}

interface Answer {
  /** 0 when the connection failed. */
  readonly status: number;
  readonly text: string;
}

type Said =
  | { readonly version: string }
  | { readonly kind: "failed" | "defaults" | "wrong"; readonly why: string };

function readAnswer(status: number, text: string, id: number, { label, p }: ExpectedRow): Said {
  if (status !== 200) return { kind: "failed", why: `${status} ${text}` };
  const body = JSON.parse(text) as {
    default: boolean;
    default_reason?: string;
    output: { v: string; id: number; label: number; p: number };
  };
  if (body.default) return { kind: "defaults", why: body.default_reason ?? "none given" };
  const { output } = body;
  if (output.id !== id || output.label !== label || output.p !== p)
    return { kind: "wrong", why: `asked with ${id}, ${label} with ${p} being right, got ${text}` };
  return { version: output.v };
}

function post(agent: Agent, url: string, body: string): Promise<Answer> {
  return new Promise((resolve) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const failedBy = (error: Error) => resolve({ status: 0, text: error.message });
    const outgoing = request(url, { agent, method: "POST", headers }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
      answer.on("error", failedBy);
    });
    outgoing.on("error", failedBy);
    outgoing.end(body);
  });
}
