import type { EngineClient, EngineRequest } from "./engine-client.js";
import { EngineError } from "./engine-error.js";

/** Versions of the interface whose answers this package reads right. */
const OLDEST = "1.40";
const NEWEST = "1.52";

export interface EngineVersion {
  /** What requests name: the newest that both speak. */
  readonly api: string;
  /** Of the engine's program: `20.10.24`. */
  readonly engine: string;
  readonly product: "docker" | "podman";
  /** `linux/amd64` */
  readonly platform: string;
  /** For people. */
  readonly components: Readonly<Record<string, string>>;
}

interface VersionAnswer {
  readonly Version?: string;
  readonly ApiVersion?: string;
  readonly MinAPIVersion?: string;
  readonly Os?: string;
  readonly Arch?: string;
  readonly Components?: readonly { readonly Name?: string; readonly Version?: string }[];
}

/** Asks without a version, which every engine answers, and uses what it says from then on. */
export async function negotiateVersion(
  client: EngineClient,
  options: Pick<EngineRequest, "signal" | "answerTimeoutMs">,
): Promise<EngineVersion> {
  const answer = await client.json<VersionAnswer>({ method: "GET", path: "/version", ...options });
  const { ApiVersion, MinAPIVersion = OLDEST, Version = "unknown", Os = "linux", Arch = "amd64" } = answer;
  if (ApiVersion === undefined || compare(ApiVersion, OLDEST) < 0 || compare(MinAPIVersion, NEWEST) > 0) {
    throw new EngineError({
      code: "ENGINE_UNSUPPORTED",
      message: `the engine (${Version}) speaks versions ${MinAPIVersion} to ${ApiVersion ?? "unknown"} of its interface, and ${OLDEST} to ${NEWEST} are needed`,
      hint:
        ApiVersion !== undefined && compare(ApiVersion, OLDEST) >= 0
          ? "use a newer @clipper-serving/docker-manager"
          : "use Docker 19.03 or newer, or podman 4 or newer",
      facts: { engine: Version, newest: ApiVersion, oldest: MinAPIVersion },
    });
  }
  const api = compare(ApiVersion, NEWEST) < 0 ? ApiVersion : NEWEST;
  client.useVersion(api);
  const components = (answer.Components ?? []).flatMap(({ Name, Version: version }) =>
    Name === undefined || version === undefined ? [] : [[Name.toLowerCase(), firstLine(version)] as const],
  );
  return {
    api,
    engine: Version,
    product: components.some(([name]) => name.includes("podman")) ? "podman" : "docker",
    platform: `${Os}/${Arch}`,
    components: Object.fromEntries(components),
  };
}

/** Some say more than their version. */
function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

function compare(left: string, right: string): number {
  const [a = 0, b = 0] = left.split(".").map(Number);
  const [c = 0, d = 0] = right.split(".").map(Number);
  return a - c || b - d;
}
