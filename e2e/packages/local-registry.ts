import { execFile } from "node:child_process";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { runServer } from "verdaccio";
import { packageManagerEnvironment } from "./package-manager.ts";

const run = promisify(execFile);

export interface LocalRegistry extends AsyncDisposable {
  /** With a slash at its end. */
  url: string;
}

/**
 * A package registry on loopback that holds our packages, and for all others asks the registry that npm is
 * configured with on this machine.
 * @param storage directory for what it holds
 */
export async function startLocalRegistry(storage: string): Promise<LocalRegistry> {
  const upstream = await npmSetting("registry");
  const authority = await npmSetting("cafile");
  const configuration = {
    storage,
    configPath: join(storage, "config.yaml"),
    uplinks: { upstream: { url: upstream, ...(authority === "null" ? {} : { ca: authority }) } },
    packages: {
      "@clipper-serving/*": { access: "$all", publish: "$all" },
      "**": { access: "$all", proxy: "upstream" },
    },
    log: { type: "stdout", format: "json", level: "fatal" },
    web: { enable: false },
  };
  const server = (await runServer(configuration as unknown as Parameters<typeof runServer>[0])) as Server;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject).listen(0, "127.0.0.1", resolve);
  await promise;
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function npmSetting(name: string): Promise<string> {
  const { stdout } = await run("npm", ["config", "get", name], { env: packageManagerEnvironment() });
  return stdout.trim();
}
