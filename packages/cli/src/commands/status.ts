import type { ClusterStatus, ModelStatus } from "@clipper-serving/core";
import type { Command } from "commander";
import { connect } from "../command-context.js";
import { defineCommand } from "../define-command.js";
import { table } from "../output.js";

export function defineStatus(program: Command): void {
  defineCommand(program.command("status").description("what runs, where, how"), async (context) => {
    await using connection = await connect(context);
    const status = await connection.status(context.call);
    context.output.result(status, statusText(status));
    return undefined;
  });
}

function statusText({ cluster, manager, endpoints, applications, models }: ClusterStatus): string {
  return [
    `cluster ${cluster} (${manager})`,
    `  predictions  ${endpoints.query}`,
    `  management   ${endpoints.management}`,
    "",
    applications.length === 0
      ? "no applications"
      : table(
          ["APPLICATION", "INPUT", "SLO", "DEFAULT", "MODEL"],
          applications.map((app) => [
            app.name,
            app.inputType,
            `${app.sloMs} ms`,
            app.defaultOutput,
            app.linkedModels.join(", ") || "-",
          ]),
        ),
    "",
    modelsText(models),
  ].join("\n");
}

export function modelsText(models: readonly ModelStatus[]): string {
  if (models.length === 0) return "no models";
  return table(
    ["MODEL", "VERSION", "CURRENT", "SERVING", "RESTARTS", "FLOOR", "NOTE"],
    models.map(({ name, version, current, replicas, floor }) => [
      name,
      version,
      current ? "yes" : "",
      `${replicas.filter(({ state }) => state === "serving").length}/${replicas.length}`,
      String(replicas.reduce((sum, { restarts }) => sum + restarts, 0)),
      floorText(floor),
      replicas.map(noteOn).find((note) => note !== undefined) ?? "",
    ]),
  );
}

/** What an answer takes at least. */
function floorText(floor: ModelStatus["floor"]): string {
  const one = floor.find(({ batchSize }) => batchSize === 1);
  return one === undefined ? "" : `${(one.p50Micros / 1_000).toPrecision(2)} ms`;
}

/** Why a replica does not serve, or what it went through for want of memory: that one will go through it again. */
function noteOn({ reason, oomKilled }: ModelStatus["replicas"][number]): string | undefined {
  return reason ?? (oomKilled ? "was ended for want of memory" : undefined);
}
