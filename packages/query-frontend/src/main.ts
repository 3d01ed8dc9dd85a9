import { ClipperError, systemClock, watchLifeline } from "@clipper-serving/spec";
import { type Logger, pino } from "pino";
import { ConfigurationError } from "./configuration-error.js";
import { createLlhttpEdge } from "./edge/llhttp-edge.js";
import { createNodeHttpEdge } from "./edge/node-http-edge.js";
import { QueryFrontend } from "./query-frontend.js";
import { Secrets } from "./secrets.js";
import { readSettings, type Settings } from "./settings.js";

/** What sysexits calls a configuration error. */
const EXIT_CONFIGURATION = 78;
/** A platform that is gone is not waited for. */
const LIFELINE_DRAIN_MS = 4_500;

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  const log = pino({ level: settings.logLevel, base: { frontend: settings.id } });
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "unexpected error: the platform starts the frontend anew");
    process.exit(1);
  });
  const frontend = await createFrontend(settings, log);
  await frontend.start();

  const end = async (why: string, limitMs?: number): Promise<void> => {
    log.info({ why }, "ending");
    await frontend.stop(limitMs);
    process.exit(0);
  };
  process.on("SIGTERM", () => void end("SIGTERM"));
  process.on("SIGINT", () => void end("SIGINT"));
  if (settings.lifelineFd !== undefined) {
    watchLifeline(settings.lifelineFd, () => void end("the platform is gone", LIFELINE_DRAIN_MS));
  }
}

async function createFrontend(settings: Settings, log: Logger): Promise<QueryFrontend> {
  const secrets = new Secrets(settings.secretsDirectory);
  // Read once to refuse a wrong one now; read again for every request, so that it may change.
  await secrets.token();
  return new QueryFrontend({
    id: settings.id,
    listen: settings.listen,
    rpcAddresses: [settings.rpcAddress],
    ...(settings.rpcAddress.startsWith("unix:") ? {} : { rpcSecret: await secrets.rpc() }),
    management: { address: settings.management, token: () => secrets.token() },
    volume: settings.volume,
    cacheBytes: settings.cacheBytes,
    publicUrl: settings.publicUrl,
    log,
    clock: systemClock,
    createEdge: settings.edge === "node" ? createNodeHttpEdge : createLlhttpEdge,
  });
}

main().catch((error: unknown) => {
  const text = ClipperError.isInstance(error) ? error.message : String(error);
  process.stderr.write(`clipper query frontend: ${text.replaceAll("\n", " ")}\n`);
  process.exit(ConfigurationError.isInstance(error) ? EXIT_CONFIGURATION : 1);
});
