import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { pythonEnvironment } from "../../tools/python/python-environment.ts";
import { engineAbsence } from "../environment/engines.ts";
import { startClipper } from "../support/clipper-command.ts";
import { LocalCluster } from "../support/local-cluster.ts";
import type { ExpectedRow } from "../support/row-load.ts";

const absence = engineAbsence("spark");
const models = join(import.meta.dirname, "..", "models");

it.skipIf(absence !== undefined)(
  `a model trained by PySpark 3.5 goes live and answers as Spark itself does (${absence ?? "Java is there"})`,
  async () => {
    const python = await pythonEnvironment({ requirements: join(models, "pyspark-3.5.txt") });
    await using cluster = await LocalCluster.up("spark35");
    const kept = cluster.scratch.path("kept");
    mkdirSync(kept);
    const { code, stderr } = await startClipper(
      [
        ...["deploy", `${join(models, "pyspark_cancer.py")}:build`, "--pyspark", "--name", "cancer"],
        ...["--input-type", "doubles", "--app", "cancer", "--cluster", cluster.name, "--python", python],
      ],
      { ...cluster.env, CLIPPER_E2E_KEPT: kept },
    ).outcome;
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    const [row] = JSON.parse(readFileSync(join(kept, "expected.json"), "utf8")) as [ExpectedRow];
    const { label, p } = row;
    // Without a sample nothing has warmed it up: its first answer may come too late.
    await cluster.predict("cancer", [...row.row, 0]);
    expect(await cluster.predict("cancer", [...row.row, 1])).toMatchObject({
      output: { v: "1", id: 1, label, p },
      default: false,
    });
  },
  300_000,
);
