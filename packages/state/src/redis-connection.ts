import { type CallOptions, TimeoutError } from "@clipper-serving/spec";
import { createClient, DisconnectsClientError } from "redis";
import type { RedisAddress } from "./redis-address.js";
import { endsConnection, redisError } from "./redis-errors.js";
import { checkRedisSettings } from "./redis-settings.js";
import { StoreSettingsError, storeClosed } from "./store-errors.js";

export interface RedisConnectionOptions {
  readonly address: RedisAddress;
  /** How long a call may take, the connecting included, ms. */
  readonly commandTimeoutMs: number;
}

/** A reply, as far as our scripts give any. */
export type RedisReply = string | number | null | readonly RedisReply[];

/** Runs a script. */
export type RunScript = (
  script: string,
  keys: readonly string[],
  args: readonly string[],
) => Promise<RedisReply>;

interface Line {
  readonly client: ReturnType<typeof clientFor>;
  /** Connected, and its settings are what they have to be. */
  readonly ready: Promise<unknown>;
  /** Why it broke; what was under way on it is told no more than that it was closed. */
  failure?: unknown;
}

/**
 * One connection, made anew by the next call when it was lost or did not answer: no call waits in a queue, and none longer than its
 * time. A server that came back with other settings is found out, because each new connection looks at them.
 */
export class RedisConnection {
  readonly #options: RedisConnectionOptions;
  #line: Line | undefined;
  #isClosed = false;

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
  }

  async run<Result>(
    operation: string,
    { signal }: CallOptions,
    work: (script: RunScript) => Promise<Result>,
  ): Promise<Result> {
    signal?.throwIfAborted();
    if (this.#isClosed) throw storeClosed("redis", operation);
    const { address } = this.#options;
    this.#line ??= this.#connect();
    const line = this.#line;
    const working = line.ready.then(() =>
      work(
        async (script, keys, args) =>
          line.client.eval(script, { keys: [...keys], arguments: [...args] }) as Promise<RedisReply>,
      ),
    );
    try {
      return await this.#inTime(working, signal);
    } catch (thrown) {
      if (signal?.aborted === true && thrown === signal.reason) throw thrown;
      const error = thrown instanceof DisconnectsClientError ? (line.failure ?? thrown) : thrown;
      if (this.#isClosed) throw storeClosed("redis", operation);
      if (endsConnection(error)) this.#drop(line);
      // At the start the settings are what is wrong; later they are why a store that was right cannot be used.
      if (operation === "open" && StoreSettingsError.isInstance(error)) throw error;
      throw redisError({ operation, place: address.place, cause: error, secrets: secretsOf(address) });
    }
  }

  close(): void {
    this.#isClosed = true;
    if (this.#line !== undefined) this.#drop(this.#line);
  }

  #connect(): Line {
    const { address } = this.#options;
    const client = clientFor(this.#options);
    const ready = client
      .connect()
      .then(() => checkRedisSettings(address.place, (name) => client.configGet(name)));
    const line: Line = { client, ready };
    // What was under way is rejected by the client; whoever calls next connects anew.
    client.on("error", (error: unknown) => {
      line.failure ??= error;
      this.#drop(line);
    });
    return line;
  }

  #drop(line: Line): void {
    if (this.#line === line) this.#line = undefined;
    line.client.destroy();
    // A client that is dropped while it connects would stay connected.
    const destroy = () => line.client.destroy();
    line.ready.then(destroy, destroy);
  }

  async #inTime<Result>(working: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
    const { commandTimeoutMs, address } = this.#options;
    const { promise: given, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new TimeoutError({ what: `an answer of ${address.place}`, timeoutMs: commandTimeoutMs })),
      commandTimeoutMs,
    );
    const abort = () => reject(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await Promise.race([working, given]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }
}

function clientFor({ address, commandTimeoutMs }: RedisConnectionOptions) {
  const { host, port, tls, database, username, password } = address;
  return createClient({
    socket: {
      host,
      port,
      connectTimeout: commandTimeoutMs,
      reconnectStrategy: false,
      ...(tls ? { tls: true as const } : {}),
    },
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    database,
    name: "clipper-state",
    RESP: 2,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: "disabled",
  });
}

function secretsOf({ password }: RedisAddress): readonly string[] {
  return password === undefined ? [] : [password, encodeURIComponent(password)];
}
