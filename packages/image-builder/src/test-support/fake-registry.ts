import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface FakeRegistryOptions {
  /** Looks at each request first; returns true when it has answered. */
  readonly before?: (
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
  ) => boolean | Promise<boolean>;
  /** Asks for a token, which this user gets for these words. */
  readonly login?:
    | { readonly username: string; readonly password: string }
    | { readonly identityToken: string };
  /** How many requests a token is good for. Default: all. */
  readonly tokenUses?: number;
  /** What it offers besides, before and after. */
  readonly otherChallenges?: { readonly before: string; readonly after: string };
  /** Default true. */
  readonly mounts?: boolean;
}

export interface FakeRegistry extends AsyncDisposable {
  /** Host and port. */
  readonly address: string;
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, { readonly type: string; readonly bytes: Buffer }>;
  /** `METHOD path` of each request, tokens left out. */
  readonly log: string[];
}

/** A registry in memory, as far as pushing and pulling go. Blobs belong to all repositories, but are seen only where they were put. */
export async function startFakeRegistry(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
  const blobs = new Map<string, Buffer>();
  const seen = new Set<string>();
  const manifests: FakeRegistry["manifests"] = new Map();
  const uploads = new Map<string, Buffer[]>();
  const log: string[] = [];
  let tokens = 0;
  let usesLeft = 0;

  /** The word of today's token, which ends with its last use. */
  const isLetIn = ({ headers }: IncomingMessage): boolean => {
    if (options.login === undefined) return true;
    if (headers.authorization !== `Bearer token-${tokens}` || usesLeft === 0) return false;
    usesLeft -= 1;
    return true;
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
    if (url.pathname === "/token") return giveToken(request, response, url);
    log.push(`${request.method} ${url.pathname}`);
    if (await options.before?.(request, response, url.pathname)) return;
    if (!isLetIn(request)) {
      const { before, after } = options.otherChallenges ?? { before: "", after: "" };
      const challenge = `${before}Bearer realm="http://${request.headers.host}/token",service="fake"${after}`;
      response.writeHead(401, { "www-authenticate": challenge }).end(errorBody("UNAUTHORIZED"));
      return;
    }
    const upload = /^\/v2\/(.+)\/blobs\/uploads\/(.*)$/.exec(url.pathname);
    if (upload !== null)
      return takeUpload(request, response, { url, repository: upload[1]!, id: upload[2]! });
    const blob = /^\/v2\/(.+)\/blobs\/(sha256:\w+)$/.exec(url.pathname);
    if (blob !== null) {
      const bytes = seen.has(`${blob[1]} ${blob[2]}`) ? blobs.get(blob[2]!) : undefined;
      return give(request, response, bytes, "application/octet-stream");
    }
    const manifest = /^\/v2\/(.+)\/manifests\/(.+)$/.exec(url.pathname);
    if (manifest === null) return void response.writeHead(404).end();
    const key = `${manifest[1]} ${manifest[2]}`;
    if (request.method !== "PUT")
      return give(request, response, manifests.get(key)?.bytes, manifests.get(key)?.type ?? "");
    manifests.set(key, { type: request.headers["content-type"] ?? "", bytes: await bodyOf(request) });
    response.writeHead(201).end();
  }

  async function giveToken(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { login } = options;
    const body = (await bodyOf(request)).toString();
    const isKnown =
      login !== undefined && "identityToken" in login
        ? request.method === "POST" && new URLSearchParams(body).get("refresh_token") === login.identityToken
        : request.headers.authorization === basic(login);
    log.push(`token ${url.searchParams.getAll("scope").join(" ") || new URLSearchParams(body).get("scope")}`);
    if (!isKnown) return void response.writeHead(401).end(errorBody("UNAUTHORIZED"));
    response.setHeader("content-type", "application/json");
    tokens += 1;
    usesLeft = options.tokenUses ?? Number.POSITIVE_INFINITY;
    response.end(JSON.stringify({ token: `token-${tokens}` }));
  }

  async function takeUpload(
    request: IncomingMessage,
    response: ServerResponse,
    { url, repository, id }: { url: URL; repository: string; id: string },
  ): Promise<void> {
    const bytes = await bodyOf(request);
    const mount = url.searchParams.get("mount");
    if (request.method === "POST" && mount !== null && options.mounts !== false) {
      if (seen.has(`${url.searchParams.get("from")} ${mount}`)) {
        seen.add(`${repository} ${mount}`);
        return void response.writeHead(201).end();
      }
    }
    const upload = request.method === "POST" ? randomUUID() : id;
    uploads.set(upload, [...(uploads.get(upload) ?? []), bytes]);
    const location = `/v2/${repository}/blobs/uploads/${upload}?state=kept`;
    if (request.method !== "PUT") return void response.writeHead(202, { location }).end();
    const whole = Buffer.concat(uploads.get(upload) ?? []);
    const digest = digestOf(whole);
    if (url.searchParams.get("digest") !== digest || url.searchParams.get("state") !== "kept") {
      return void response.writeHead(400).end(errorBody("DIGEST_INVALID"));
    }
    blobs.set(digest, whole);
    seen.add(`${repository} ${digest}`);
    response.writeHead(201).end();
  }

  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    blobs,
    manifests,
    log,
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}

function give(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Buffer | undefined,
  type: string,
): void {
  if (bytes === undefined) return void response.writeHead(404).end(errorBody("UNKNOWN"));
  response.writeHead(200, { "content-type": type, "content-length": bytes.length });
  response.end(request.method === "HEAD" ? undefined : bytes);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

export function errorBody(code: string, message = "said the registry"): string {
  return JSON.stringify({ errors: [{ code, message }] });
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function basic(login: FakeRegistryOptions["login"]): string | undefined {
  if (login === undefined || "identityToken" in login) return undefined;
  return `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}`;
}
