import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import type { EngineClient, EngineRequest } from "./engine-client.js";
import { isAbsent, isConflict } from "./engine-error.js";

export type Labels = Readonly<Record<string, string>>;

/** One of the engine's list, with what is read of it. */
export interface ListedContainer {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Labels: Labels | null;
  readonly Created: number;
  readonly Ports?: readonly { readonly IP?: string; readonly PublicPort?: number; readonly Type?: string }[];
}

export interface InspectedContainer {
  readonly Id: string;
  readonly Name: string;
  readonly RestartCount: number;
  readonly State: {
    readonly Status: "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";
    readonly OOMKilled: boolean;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly Error: string;
    readonly StartedAt: string;
  };
  readonly Config: { readonly Labels: Labels | null; readonly Tty: boolean };
  readonly NetworkSettings: {
    readonly Ports: Readonly<
      Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>
    > | null;
    /** By name; before the first start as it was asked for. */
    readonly Networks: Readonly<
      Record<string, { readonly IPAddress: string; readonly NetworkID?: string }>
    > | null;
  };
}

/** What is known of a path in a container without reading it. */
export interface PathStat {
  readonly size: number;
  /** As Go's `os.FileMode` has it. */
  readonly mode: number;
  readonly linkTarget: string;
}

export interface LogRequest {
  readonly follow: boolean;
  readonly tail?: number | undefined;
  /** Seconds since 1970 with nanoseconds: `1700000000.000000001`. */
  readonly since?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const STOP_MARGIN_MS = 60_000;
/** Node takes a longer wait for none. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** How long somebody else's removal is waited for, and how often looked at, ms. */
const REMOVAL_MS = 10_000;
const REMOVAL_LOOK_MS = 50;

/** The part of the engine's interface that is about containers. */
export class Containers {
  readonly #client: EngineClient;

  constructor(client: EngineClient) {
    this.#client = client;
  }

  /** Those that do not run as well. @param labels `name` or `name=value`, all of which must hold */
  list(labels: readonly string[]): Promise<readonly ListedContainer[]> {
    return this.#client.json({
      method: "GET",
      path: "/containers/json",
      query: { all: true, ...(labels.length === 0 ? {} : { filters: { label: labels } }) },
    });
  }

  /** @returns undefined when it does not exist */
  async inspect(id: string): Promise<InspectedContainer | undefined> {
    return await unlessAbsent(
      this.#client.json<InspectedContainer>({ method: "GET", path: `/containers/${id}/json` }),
    );
  }

  async create(name: string | undefined, config: unknown): Promise<string> {
    const { Id } = await this.#client.json<{ Id: string }>({
      method: "POST",
      path: "/containers/create",
      query: name === undefined ? {} : { name },
      body: config,
    });
    return Id;
  }

  /** Running already is success. */
  start(id: string): Promise<void> {
    return this.#client.done({ method: "POST", path: `/containers/${id}/start` });
  }

  /** SIGTERM, `graceMs`, SIGKILL, by the engine. Absent or ended already is success. */
  async stop(id: string, graceMs: number): Promise<void> {
    await unlessAbsent(
      this.#client.done({
        method: "POST",
        path: `/containers/${id}/stop`,
        query: { t: graceSeconds(graceMs) },
        answerTimeoutMs: Math.min(graceMs + STOP_MARGIN_MS, LONGEST_TIMER_MS),
      }),
    );
  }

  /** Kills what runs. Absent is success, and so is what somebody else has removed. */
  async remove(id: string): Promise<void> {
    try {
      await this.#client.done({
        method: "DELETE",
        path: `/containers/${id}`,
        query: { force: true, v: true },
      });
    } catch (error) {
      if (isConflict(error)) await this.#untilGone(id);
      else if (!isAbsent(error)) throw error;
    }
  }

  /** What a container holds is free only when it is gone. One that stays does not run: whoever wants what it holds is told so. */
  async #untilGone(id: string): Promise<void> {
    const deadline = performance.now() + REMOVAL_MS;
    while (performance.now() < deadline && (await this.inspect(id)) !== undefined)
      await wait(REMOVAL_LOOK_MS);
  }

  /** Unpacks a tar into a container, which need not run. */
  putArchive(
    id: string,
    path: string,
    archive: Buffer | Readable,
    limits: Pick<EngineRequest, "signal" | "answerTimeoutMs"> = {},
  ): Promise<void> {
    return this.#client.done({
      method: "PUT",
      path: `/containers/${id}/archive`,
      query: { path },
      upload: archive,
      ...limits,
    });
  }

  /** The tar of a path. */
  getArchive(id: string, path: string): Promise<Buffer> {
    return this.#client.bytes({ method: "GET", path: `/containers/${id}/archive`, query: { path } });
  }

  async stat(id: string, path: string): Promise<PathStat | undefined> {
    const answer = await unlessAbsent(
      this.#client.stream({ method: "HEAD", path: `/containers/${id}/archive`, query: { path } }),
    );
    const header = answer?.headers["x-docker-container-path-stat"];
    answer?.resume();
    if (typeof header !== "string") return undefined;
    return JSON.parse(Buffer.from(header, "base64").toString("utf8")) as PathStat;
  }

  logs(id: string, { follow, tail, since, signal }: LogRequest): Promise<IncomingMessage> {
    return this.#client.stream({
      method: "GET",
      path: `/containers/${id}/logs`,
      query: {
        stdout: true,
        stderr: true,
        timestamps: true,
        follow,
        ...(tail === undefined ? {} : { tail }),
        ...(since === undefined ? {} : { since }),
      },
      signal,
      answerTimeoutMs: 0,
    });
  }

  /** Makes an image of a container that need not run, with the container's own configuration. @returns its id */
  async commit(
    id: string,
    { repository, tag, signal }: { repository: string; tag: string; signal: AbortSignal | undefined },
  ): Promise<string> {
    const { Id } = await this.#client.json<{ Id: string }>({
      method: "POST",
      path: "/commit",
      query: { container: id, repo: repository, tag, pause: false },
      // podman reads one, and takes an empty one for broken.
      body: { Hostname: "" },
      signal,
      answerTimeoutMs: 0,
    });
    return Id;
  }
}

/** The engine counts whole seconds. */
export function graceSeconds(graceMs: number): number {
  return Math.ceil(graceMs / 1_000);
}

export async function unlessAbsent<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
