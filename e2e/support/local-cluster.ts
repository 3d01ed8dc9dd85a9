import { pythonEnvironment } from "../../tools/python/python-environment.ts";
import { TestCluster } from "./test-cluster.ts";

/** A cluster of plain processes. */
export class LocalCluster extends TestCluster {
  static async up(name = "e2e"): Promise<LocalCluster> {
    return new LocalCluster({ name, python: await pythonEnvironment() }).firstUp();
  }
}
