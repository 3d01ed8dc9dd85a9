import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { unlessAbsent } from "./containers.js";
import type { EngineClient } from "./engine-client.js";

export interface InspectedImage {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
  readonly Os: string;
  readonly Architecture: string;
  readonly Variant?: string;
  readonly Metadata?: { readonly LastTagTime?: string };
  readonly RootFS: { readonly Layers?: readonly string[] };
  readonly Config: {
    readonly Env?: readonly string[] | null;
    readonly Entrypoint?: readonly string[] | null;
    readonly Cmd?: readonly string[] | null;
    readonly WorkingDir?: string;
    readonly User?: string;
    readonly Labels?: Readonly<Record<string, string>> | null;
  } | null;
}

/** One of the engine's list, with what is read of it. */
export interface ListedImage {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly Size: number;
}

export class Images {
  readonly #client: EngineClient;

  constructor(client: EngineClient) {
    this.#client = client;
  }

  /** @returns undefined when the engine has none of that name */
  inspect(ref: string): Promise<InspectedImage | undefined> {
    return unlessAbsent(this.#client.json<InspectedImage>({ method: "GET", path: `${pathOf(ref)}/json` }));
  }

  /** @param labels `name=value`, all of which must hold */
  list(labels: readonly string[] = []): Promise<readonly ListedImage[]> {
    const query = labels.length === 0 ? {} : { filters: { label: labels } };
    return this.#client.json({ method: "GET", path: "/images/json", query });
  }

  /** Has the engine ask an image's registry for its manifest, and fetch nothing. */
  async askRegistry(
    ref: string,
    { registryAuth, signal }: { readonly registryAuth: string; readonly signal?: AbortSignal | undefined },
  ): Promise<void> {
    await this.#client.done({ method: "GET", path: `/distribution/${ref}/json`, registryAuth, signal });
  }

  async tag(id: string, { repository, tag }: { repository: string; tag: string }): Promise<void> {
    await this.#client.done({
      method: "POST",
      path: `${pathOf(id)}/tag`,
      query: { repo: repository, tag },
    });
  }

  /** Absent is success. */
  async remove(ref: string): Promise<void> {
    await unlessAbsent(this.#client.done({ method: "DELETE", path: pathOf(ref) }));
  }

  /** Begins a load; its progress has to be read to the end. */
  load(archive: Readable, signal: AbortSignal | undefined): Promise<IncomingMessage> {
    return this.#client.stream({
      method: "POST",
      path: "/images/load",
      query: { quiet: true },
      upload: archive,
      signal,
      answerTimeoutMs: 0,
    });
  }

  /** The image as `docker save` writes it. */
  save(ref: string, signal: AbortSignal | undefined): Promise<IncomingMessage> {
    return this.#client.stream({ method: "GET", path: `${pathOf(ref)}/get`, signal, answerTimeoutMs: 0 });
  }

  /** Begins a pull; its progress has to be read to the end. */
  pull(
    name: { readonly repository: string; readonly tag: string },
    options: {
      readonly registryAuth: string;
      readonly platform?: string;
      readonly signal?: AbortSignal | undefined;
      /** Until it has anything to say, ms: it asks the registry first. */
      readonly answerTimeoutMs: number;
    },
  ): Promise<IncomingMessage> {
    const { registryAuth, platform, signal, answerTimeoutMs } = options;
    return this.#client.stream({
      method: "POST",
      path: "/images/create",
      query: {
        fromImage: name.repository,
        tag: name.tag,
        ...(platform === undefined ? {} : { platform }),
      },
      registryAuth,
      signal,
      answerTimeoutMs,
    });
  }
}

/** What a name holds that no name may, the engine is to refuse, and not to take for the end of the path. */
function pathOf(ref: string): string {
  return `/images/${encodeURI(ref).replace(/[?#]/g, encodeURIComponent)}`;
}
