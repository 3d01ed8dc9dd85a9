import { spawnSync } from "node:child_process";

/** An engine that some tests need and a machine may lack. */
export type EngineName = "docker" | "registry" | "redis" | "prometheus" | "kubernetes" | "spark";

export interface EngineProbe {
  name: EngineName;
  /** Why it cannot be used here; absent when it can. */
  absent?: string;
}

interface Probe {
  name: EngineName;
  command: string;
  arguments: readonly string[];
  /** What to say when the command fails. */
  absent: string;
}

const probes: readonly Probe[] = [
  {
    name: "docker",
    command: "docker",
    arguments: ["info", "--format", "{{.ServerVersion}}"],
    absent: "no engine answers `docker info`",
  },
  {
    name: "registry",
    command: "docker-registry",
    arguments: ["--version"],
    absent: "there is no `docker-registry` on PATH",
  },
  {
    name: "redis",
    command: "redis-server",
    arguments: ["--version"],
    absent: "there is no `redis-server` on PATH",
  },
  {
    name: "prometheus",
    command: "prometheus",
    arguments: ["--version"],
    absent: "there is no `prometheus` on PATH",
  },
  {
    name: "kubernetes",
    command: "kubectl",
    arguments: ["--request-timeout=5s", "get", "--raw", "/readyz"],
    absent: "no cluster answers `kubectl get --raw /readyz`",
  },
  { name: "spark", command: "java", arguments: ["-version"], absent: "there is no `java` on PATH" },
];

/** Looks for every engine now. */
export async function probeEngines(): Promise<EngineProbe[]> {
  return probes.map((probe) => probeEngine(probe));
}

/**
 * Whether a test that needs the engine can run here: `it.skipIf(engineAbsence("docker"))`.
 * @returns the reason to give for a skip; undefined when the engine is there
 */
export function engineAbsence(name: EngineName): string | undefined {
  const probe = probes.find((candidate) => candidate.name === name);
  return probe === undefined ? `unknown engine ${name}` : probeEngine(probe).absent;
}

/** Engines whose absence is a failure: `CLIPPER_REQUIRE=docker,redis`. */
export function requiredEngines(): string[] {
  return (process.env.CLIPPER_REQUIRE ?? "").split(",").filter((name) => name !== "");
}

function probeEngine({ name, command, arguments: commandArguments, absent }: Probe): EngineProbe {
  const { status } = spawnSync(command, commandArguments, { stdio: "ignore", timeout: 10_000 });
  return status === 0 ? { name } : { name, absent };
}
