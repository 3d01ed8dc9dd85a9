import type { Labels } from "./containers.js";
import type { EngineClient } from "./engine-client.js";
import { isAbsent } from "./engine-error.js";

export interface Volume {
  readonly Name: string;
  readonly Labels: Labels | null;
}

export class Volumes {
  readonly #client: EngineClient;

  constructor(client: EngineClient) {
    this.#client = client;
  }

  async list(labels: readonly string[]): Promise<readonly Volume[]> {
    const { Volumes: found } = await this.#client.json<{ Volumes: readonly Volume[] | null }>({
      method: "GET",
      path: "/volumes",
      query: { filters: { label: labels } },
    });
    return found ?? [];
  }

  /** Of several who create one name at once, all are given the first one's volume, with the first one's labels. */
  create(name: string, labels: Labels): Promise<Volume> {
    return this.#client.json({
      method: "POST",
      path: "/volumes/create",
      body: { Name: name, Labels: labels },
    });
  }

  /** Absent is success. */
  async remove(name: string): Promise<void> {
    try {
      await this.#client.done({ method: "DELETE", path: `/volumes/${name}` });
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }
}
