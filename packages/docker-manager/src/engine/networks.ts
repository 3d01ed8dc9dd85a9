import { type Labels, unlessAbsent } from "./containers.js";
import type { EngineClient } from "./engine-client.js";
import { isAbsent } from "./engine-error.js";

export interface Network {
  readonly Id: string;
  readonly Name: string;
  readonly Labels: Labels | null;
  readonly Containers?: Readonly<Record<string, unknown>> | null;
  readonly IPAM?: { readonly Config?: readonly { readonly Subnet?: string }[] | null } | null;
}

export class Networks {
  readonly #client: EngineClient;

  constructor(client: EngineClient) {
    this.#client = client;
  }

  list(labels: readonly string[]): Promise<readonly Network[]> {
    const query = labels.length === 0 ? {} : { filters: { label: labels } };
    return this.#client.json({ method: "GET", path: "/networks", query });
  }

  inspect(id: string): Promise<Network | undefined> {
    return unlessAbsent(this.#client.json<Network>({ method: "GET", path: `/networks/${id}` }));
  }

  /** @returns its id; several networks may have one name */
  async create(name: string, labels: Labels): Promise<string> {
    const { Id } = await this.#client.json<{ Id: string }>({
      method: "POST",
      path: "/networks/create",
      body: { Name: name, Labels: labels, Driver: "bridge" },
    });
    return Id;
  }

  /** Takes every container off it that is on it now. */
  async disconnectAll(id: string): Promise<void> {
    const containers = Object.keys((await this.inspect(id))?.Containers ?? {});
    await Promise.all(
      containers.map((container) =>
        unlessAbsent(
          this.#client.done({
            method: "POST",
            path: `/networks/${id}/disconnect`,
            body: { Container: container, Force: true },
          }),
        ),
      ),
    );
  }

  /** Absent is success. */
  async remove(id: string): Promise<void> {
    try {
      await this.#client.done({ method: "DELETE", path: `/networks/${id}` });
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }
}
