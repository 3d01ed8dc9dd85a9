import { execFileSync } from "node:child_process";
import { randomUUID, sign } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ISSUER = "clipper test";
const SERVICE = "registry";

/** Gives a `docker-registry` tokens for one user: the authentication that public registries use. */
export class TokenServer implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), "clp-tokens-"));
  readonly #server: Server;
  readonly #user: { readonly username: string; readonly password: string };
  /** The scopes that were asked for, in order. */
  readonly scopes: string[] = [];

  private constructor(user: { readonly username: string; readonly password: string }) {
    this.#user = user;
    const newKey = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=clipper-test"];
    const files = ["-keyout", "key.pem", "-out", "cert.pem"];
    execFileSync("openssl", ["req", "-x509", ...newKey, ...files], { cwd: this.#directory, stdio: "pipe" });
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(user: { readonly username: string; readonly password: string }): Promise<TokenServer> {
    const tokens = new TokenServer(user);
    tokens.#server.listen(0, "127.0.0.1");
    await once(tokens.#server, "listening");
    return tokens;
  }

  /** For the registry's configuration. */
  get auth(): string {
    const { port } = this.#server.address() as { port: number };
    return `  token:
    realm: http://127.0.0.1:${port}/token
    service: ${SERVICE}
    issuer: ${ISSUER}
    rootcertbundle: ${join(this.#directory, "cert.pem")}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { username, password } = this.#user;
    const expected = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    if (request.headers.authorization !== expected) {
      response.writeHead(401).end();
      return;
    }
    const url = new URL(request.url ?? "/", "http://localhost");
    const scopes = url.searchParams.getAll("scope");
    this.scopes.push(...scopes);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ token: this.#token(scopes) }));
  }

  /** @see https://distribution.github.io/distribution/spec/auth/jwt/ */
  #token(scopes: readonly string[]): string {
    const certificate = readFileSync(join(this.#directory, "cert.pem"), "utf8").replace(
      /-----[^-]+-----|\s/g,
      "",
    );
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: ISSUER,
      sub: this.#user.username,
      aud: SERVICE,
      exp: now + 300,
      nbf: now - 10,
      iat: now,
      jti: randomUUID(),
      access: scopes.map((scope) => {
        const [type = "", name = "", actions = ""] = scope.split(":");
        return { type, name, actions: actions.split(",") };
      }),
    };
    const signed = [{ typ: "JWT", alg: "RS256", x5c: [certificate] }, claims].map(base64url).join(".");
    const signature = sign("sha256", Buffer.from(signed), readFileSync(join(this.#directory, "key.pem")));
    return `${signed}.${signature.toString("base64url")}`;
  }
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
