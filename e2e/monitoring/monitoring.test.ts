import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repositoryRoot } from "../../tools/repository.ts";
import { engineAbsence } from "../environment/engines.ts";
import { clipperScript } from "../support/clipper-command.ts";
import { eventually } from "../support/eventually.ts";
import { LocalCluster } from "../support/local-cluster.ts";

const absence = engineAbsence("prometheus");
const example = join(repositoryRoot, "examples", "monitoring");
const QUERIES = 12;

interface Dashboard {
  readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
}

/** Every metric that an expression of the dashboard or of the README names. */
function namedMetrics(): Set<string> {
  const dashboard = JSON.parse(readFileSync(join(example, "grafana-dashboard.json"), "utf8")) as Dashboard;
  const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const text = [...expressions, readFileSync(join(example, "README.md"), "utf8")].join("\n");
  const names = text.match(/\b(?:clipper_(?!cluster\b|frontend\b)|process_|nodejs_)\w+/g) ?? [];
  return new Set(names.map((name) => name.replace(/_(?:bucket|sum|count)$/, "")));
}

describe("examples/monitoring", () => {
  let cluster: LocalCluster;
  let token: string;

  beforeAll(async () => {
    cluster = await LocalCluster.up();
    token = readFileSync(cluster.scratch.path("home", "clusters", cluster.name, "secrets", "token"), "utf8");
    await cluster.deploy("tagged.py:v1", { model: "tagged", app: "tagged", "slo-ms": "2000" });
    for (let query = 0; query < QUERIES; query += 1) await cluster.predict("tagged", [query]);
  });

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  it("names no metric that the frontends do not have", async () => {
    const authorization = `Bearer ${token}`;
    const shown = await Promise.all(
      [cluster.query, cluster.management].map(async (url) =>
        (await fetch(`${url}/metrics`, { headers: { authorization } })).text(),
      ),
    );
    const known = new Set(shown.join("\n").match(/(?<=^# TYPE )\S+/gm));
    const named = namedMetrics();
    expect(named.size).toBeGreaterThan(25);
    expect([...named].filter((name) => !known.has(name))).toEqual([]);
  });

  describe.skipIf(absence)(`with a real Prometheus${absence === undefined ? "" : ` (${absence})`}`, () => {
    let prometheus: ChildProcess;
    let url: string;
    let said = "";

    beforeAll(async () => {
      const port = await freePort();
      url = `http://127.0.0.1:${port}`;
      prometheus = spawn(join(example, "start-prometheus"), [cluster.name], {
        env: {
          ...process.env,
          ...cluster.env,
          PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
          PROMETHEUS_PORT: String(port),
          CLIPPER_COMMAND: `${process.execPath} ${clipperScript}`,
        },
        stdio: ["ignore", "ignore", "pipe"],
      });
      prometheus.stderr?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
      await eventually("prometheus", 20_000, async () => (await fetch(`${url}/-/ready`)).ok);
    });

    afterAll(async () => {
      if (prometheus === undefined || prometheus.exitCode !== null) return;
      const ended = once(prometheus, "exit");
      prometheus.kill();
      await ended;
    });

    /** @returns the values of an instant query, with their labels */
    const ask = async (query: string) => {
      const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query })}`);
      const { data } = (await answer.json()) as {
        data: { result: { metric: Record<string, string>; value: [number, string] }[] };
      };
      return data.result.map(({ metric, value }) => ({ ...metric, value: Number(value[1]) }));
    };

    it("finds the query frontend through management, and has what it counted", async () => {
      const [counted] = await eventually("the counts", 30_000, async () => {
        const found = await ask('clipper_queries_total{application="tagged",outcome="ok"}');
        return found.length > 0 && found;
      });
      expect(counted).toMatchObject({
        job: "clipper-query",
        clipper_cluster: cluster.name,
        clipper_frontend: expect.stringContaining("query-frontend"),
        value: QUERIES,
      });
    });

    it("scrapes management too, and nothing is down", async () => {
      await eventually("management's numbers", 30_000, async () => {
        const [ready] = await ask(`clipper_management_ready{clipper_cluster="${cluster.name}"}`);
        return ready?.value === 1;
      });
      // On loopback management shows them to anybody: what shows the token is that discovery has worked.
      expect((await ask("up")).map(({ value }) => value)).toEqual([1, 1]);
      expect(said).not.toContain(token);
    });

    it("understands each expression of the dashboard", async () => {
      const dashboard = JSON.parse(
        readFileSync(join(example, "grafana-dashboard.json"), "utf8"),
      ) as Dashboard;
      for (const { expr } of dashboard.panels.flatMap(({ targets = [] }) => targets)) {
        const query = expr.replaceAll("$__rate_interval", "1m").replaceAll("$cluster", cluster.name);
        const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query })}`);
        expect([answer.status, query]).toEqual([200, query]);
      }
    });
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
