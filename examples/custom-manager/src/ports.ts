import { createServer } from "node:net";
import { PortTakenError, type WorkloadSpec } from "@clipper-serving/spec";

/** @param held what the workload has already */
export async function checkPinned({ ports }: WorkloadSpec, held: readonly number[]): Promise<void> {
  for (const { pinned } of ports) {
    if (pinned === undefined || held.includes(pinned) || (await listenOnce(pinned)) !== undefined) continue;
    throw new PortTakenError({ manager: "pidfile", port: pinned });
  }
}

export async function choosePorts(
  spec: WorkloadSpec,
  before: Readonly<Record<string, number>> | undefined,
): Promise<Record<string, number>> {
  const entries = spec.ports.map(async ({ name, pinned }) => [
    name,
    pinned ?? before?.[name] ?? (await listenOnce(0)),
  ]);
  return Object.fromEntries(await Promise.all(entries)) as Record<string, number>;
}

/** @returns the port that could be listened on, or undefined when it is taken */
function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => {
      const { port: found } = server.address() as { port: number };
      server.close(() => resolve(found));
    });
  });
}

export async function answers(port: number, path: string): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    // Nothing listens yet.
    return false;
  }
}
