import { DockerConfigurationDirectory, type InlineAuth } from "../discovery/docker-configuration.js";
import { askHelper } from "./credential-helper.js";

/** What a registry knows somebody by; an identity token is traded for short ones. */
export type RegistryCredentials =
  | { readonly username: string; readonly password: string }
  | { readonly identityToken: string };

/** How Docker Hub is called in a Docker configuration. */
const HUB_KEY = "https://index.docker.io/v1/";
const HUB_NAMES: ReadonlySet<string> = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);
/** What a helper says for a username when the secret is a token. */
const TOKEN_USER = "<token>";

/**
 * Credentials for a registry as the user's Docker configuration has them: a helper for that registry, the store, or written in the file.
 * @param registry host and port: `registry.example:5000`, `docker.io`
 * @returns undefined when nobody has logged in there
 * @throws EngineError `CREDENTIALS_FAILED`; ManagerError `DOCKER_CONFIGURATION_INVALID`
 */
export async function dockerCredentials(
  registry: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<RegistryCredentials | undefined> {
  const { auths = {}, credHelpers = {}, credsStore } = new DockerConfigurationDirectory(process.env).read();
  const key = HUB_NAMES.has(registry) ? HUB_KEY : registry;
  const helper = credHelpers[registry] ?? credHelpers[key] ?? credsStore;
  if (helper) {
    const answer = await askHelper({ helper, registry: key, signal });
    if (answer !== undefined) {
      const { username, secret } = answer;
      return username === TOKEN_USER ? { identityToken: secret } : { username, password: secret };
    }
  }
  const found = Object.entries(auths).find(([name]) => name === key || hostOf(name) === registry);
  return found === undefined ? undefined : inlineCredentials(found[1]);
}

/** As the engine wants it in `X-Registry-Auth`; of nobody it wants an empty object. */
export function registryAuthHeader(credentials: RegistryCredentials | undefined, registry: string): string {
  const told =
    credentials === undefined
      ? {}
      : "identityToken" in credentials
        ? { identitytoken: credentials.identityToken, serveraddress: registry }
        : { ...credentials, serveraddress: registry };
  return Buffer.from(JSON.stringify(told)).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

function inlineCredentials(inline: InlineAuth): RegistryCredentials | undefined {
  if (inline.identitytoken) return { identityToken: inline.identitytoken };
  if (inline.auth) {
    const text = Buffer.from(inline.auth, "base64").toString("utf8");
    const colon = text.indexOf(":");
    // Tools pad the password with NULs.
    if (colon > 0)
      return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, "") };
  }
  if (inline.username && inline.password) return { username: inline.username, password: inline.password };
  return undefined;
}

/** Files of earlier versions name registries by URLs. */
function hostOf(name: string): string {
  return name.replace(/^https?:\/\//, "").split("/", 1)[0] ?? name;
}
