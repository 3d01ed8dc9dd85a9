import { challengesIn } from "./challenges.js";
import type { CredentialsFor, RegistryCredentials } from "./credentials.js";

/** A request for a token, and what came of it; the client sends it. */
export type SendTokenRequest = (
  url: URL,
  init: RequestInit,
) => Promise<{ readonly token?: string; readonly access_token?: string } | undefined>;

export interface AuthenticatorOptions {
  readonly registry: string;
  readonly credentials: CredentialsFor;
  /** Whether a token may be asked for without TLS. */
  readonly plainHttp: boolean;
}

/** Answers a registry's challenges, and remembers the answers: one for each set of scopes. */
export class Authenticator {
  readonly #answers = new Map<string, string>();

  readonly #options: AuthenticatorOptions;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /** The `Authorization` to try first. */
  known(scopes: readonly string[]): string | undefined {
    return this.#answers.get(scopes.join(" "));
  }

  /**
   * @param challenge `WWW-Authenticate` of a 401
   * @returns the `Authorization` to repeat the request with; undefined when there is nothing (more) to try
   */
  async answer(
    challenge: string,
    scopes: readonly string[],
    send: SendTokenRequest,
  ): Promise<string | undefined> {
    const key = scopes.join(" ");
    const credentials = await this.#options.credentials(this.#options.registry);
    const offered = challengesIn(challenge);
    const bearer = offered.find(({ scheme }) => scheme === "bearer");
    const token = bearer && (await this.#bearer(bearer.parameters, { scopes, credentials, send }));
    const takesPassword = offered.some(({ scheme }) => scheme === "basic");
    const answer = token ?? (takesPassword ? basic(credentials) : undefined);
    // The same once more would be refused once more; a new token may not.
    if (answer === undefined || answer === this.#answers.get(key)) return undefined;
    this.#answers.set(key, answer);
    return answer;
  }

  async #bearer(
    { realm = "", service }: Readonly<Record<string, string>>,
    { scopes, credentials, send }: TokenWish & { send: SendTokenRequest },
  ): Promise<string | undefined> {
    if (!URL.canParse(realm)) return undefined;
    const url = new URL(realm);
    // Credentials go where the registry says, but not in the clear because of it.
    if (url.protocol !== "https:" && !this.#options.plainHttp) return undefined;
    const given = await send(...tokenRequest({ url, service, scopes, credentials }));
    const token = given?.token ?? given?.access_token;
    return token === undefined ? undefined : `Bearer ${token}`;
  }
}

interface TokenWish {
  readonly scopes: readonly string[];
  readonly credentials: RegistryCredentials | undefined;
}

/** @see https://distribution.github.io/distribution/spec/auth/token/ and, for identity tokens, …/oauth/ */
function tokenRequest({
  url,
  service,
  scopes,
  credentials,
}: TokenWish & { url: URL; service: string | undefined }): [URL, RequestInit] {
  if (credentials !== undefined && "identityToken" in credentials) {
    const form = new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: credentials.identityToken,
      client_id: "clipper",
      scope: scopes.join(" "),
    });
    if (service !== undefined) form.set("service", service);
    // Unlike a header, a body goes wherever a redirect leads.
    return [url, { method: "POST", body: form, redirect: "error" }];
  }
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  const authorization = basic(credentials);
  return [url, authorization === undefined ? {} : { headers: { authorization } }];
}

function basic(credentials: RegistryCredentials | undefined): string | undefined {
  if (credentials === undefined || "identityToken" in credentials) return undefined;
  const { username, password } = credentials;
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
