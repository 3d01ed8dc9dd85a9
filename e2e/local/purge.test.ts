import { existsSync, readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { LocalCluster } from "../support/local-cluster.ts";
import { processesOf } from "../support/processes.ts";

it("after `down --purge` there is no process, socket or directory of the cluster", async () => {
  await using cluster = await LocalCluster.up("purged");
  const sockets = () => namesBelow(cluster.scratch.directory).filter((name) => name.endsWith(".sock"));
  await cluster.deploy("tagged.py:v1", { model: "tagged", app: "tagged" });
  expect(processesOf(cluster.scratch.directory).length).toBeGreaterThan(3);
  expect(sockets().length).toBeGreaterThan(0);
  await cluster.clipper("down", "--purge");
  expect(processesOf(cluster.scratch.directory)).toEqual([]);
  expect(sockets()).toEqual([]);
  expect(namesBelow(cluster.scratch.directory).filter((name) => name.includes("purged"))).toEqual([]);
  expect(existsSync(cluster.scratch.path("home", "clusters", "purged"))).toBe(false);
});

function namesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" }).filter(
    (name) => !name.includes("environments"),
  );
}
