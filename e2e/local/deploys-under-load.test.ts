import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countedQueries } from "../support/counted-queries.ts";
import { startLoad } from "../support/ledger-load.ts";
import { LocalCluster } from "../support/local-cluster.ts";

describe("ten deploys under 200 requests a second, two of them broken", () => {
  let cluster: LocalCluster;

  beforeAll(async () => {
    cluster = await LocalCluster.up();
    await cluster.deploy("tagged.py:v1", { model: "tagged", app: "tagged", "slo-ms": "2000" });
  });

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  it("loses no request, gives no default, and ledger, counters and answers agree", async () => {
    const countBefore = await countedQueries(cluster.query, "tagged");
    const load = startLoad({ url: cluster.query, app: "tagged", rate: 200, maxMs: 110_000 });
    for (const version of [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) {
      if (version === 5 || version === 9) {
        const reference = version === 5 ? "broken.py:raises" : "broken.py:wrong_length";
        await cluster.fails(
          1,
          ...cluster.deployArguments(reference, { model: "tagged", version: String(version), sample: "[1]" }),
        );
      } else {
        const source = Math.min(version, 10);
        await cluster.deploy(`tagged.py:v${source}`, {
          model: "tagged",
          version: String(version),
          sample: "[1]",
        });
        const { output } = await cluster.predict("tagged", [1]);
        expect(output).toMatchObject({ v: String(source) });
      }
    }
    const ledger = await load.stop();
    expect(ledger.failed).toEqual([]);
    expect(ledger.wrong).toEqual([]);
    expect(ledger.defaults).toEqual([]);
    expect(new Set(ledger.answered.map(({ version }) => version))).toEqual(
      new Set(["1", "2", "3", "4", "6", "7", "8", "10"]),
    );
    const eightChecks = 8;
    expect((await countedQueries(cluster.query, "tagged")) - countBefore).toBe(
      ledger.entries.length + eightChecks,
    );
  });
});
