import { readFile } from "node:fs/promises";
import path from "node:path";
import {
  type ContainerManagerModule,
  type ContainerManagerOrigin,
  watchLifeline,
} from "@clipper-serving/spec";
import { createController } from "./cluster-controller.js";
import { ManagementClient } from "./management-client.js";
import { urlOfAddress } from "./url-of-address.js";

/** The program of the workload `controller`: keeps a cluster's wishes true while nobody is connected. */
async function main(): Promise<void> {
  const stop = new AbortController();
  const end = () => stop.abort();
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
  const lifeline = process.env.CLIPPER_LIFELINE;
  // Absent where the platform ends its instances by itself.
  if (lifeline) watchLifeline(Number(lifeline), end);

  const secretsDirectory = required("CLIPPER_SECRETS");
  const [token, rpc] = await Promise.all(
    ["token", "rpc"].map((name) => readFile(path.join(secretsDirectory, name))),
  );
  const origin = JSON.parse(required("CLIPPER_MANAGER")) as ContainerManagerOrigin;
  const { createContainerManager } = (await import(origin.module)) as ContainerManagerModule;
  await using manager = await createContainerManager(origin.options);
  const management = new ManagementClient({
    url: urlOfAddress(required("CLIPPER_MANAGEMENT")),
    token: String(token),
  });
  const controller = createController({
    manager,
    cluster: { name: required("CLIPPER_CLUSTER") },
    management,
    secrets: { token: token as Uint8Array, rpc: rpc as Uint8Array },
    onEvent: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
  });
  await controller.run({ signal: stop.signal });
  await management.close();
}

function required(name: string): string {
  const value = process.env[name];
  if (value) return value;
  process.stderr.write(`clipper-controller: ${name} must be set\n`);
  process.exit(78);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(
      `clipper-controller: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exit(1);
  },
);
