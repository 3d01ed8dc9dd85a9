import { ClipperError, formatAddress } from "@clipper-serving/spec";
import { pino } from "pino";
import { readConfiguration } from "./configuration.js";
import { ConfigurationError } from "./configuration-error.js";
import { watchConfiguredLifeline } from "./lifeline.js";
import { createManagementFrontend } from "./management-frontend.js";
import { openStore } from "./open-store.js";
import { readToken } from "./secret-token.js";

/** The bundler puts the manifest in, so that the one file knows its version wherever it lies. */
declare const require: (path: "../package.json") => { version: string };
const { version } = require("../package.json");

const EXIT_CONFIGURATION = 78;

/** A query frontend tells each second what it serves by. */
const FIRST_REPORT_MS = 2_000;
const DRAIN_MS = 4_500;
/** Whoever asked is mostly gone too, and all has to be over in 5 s, however slow the machine is then. */
const DRAIN_WITHOUT_PLATFORM_MS = 2_000;

async function main(): Promise<void> {
  const configuration = readConfiguration(process.env);
  const { cluster, instance } = configuration;
  const token = await readToken(configuration.secretsDirectory);
  const logger = pino({ level: configuration.logLevel, base: { cluster, instance } });
  const store = await openStore(configuration);
  const frontend = createManagementFrontend({
    cluster,
    version,
    store,
    token,
    listen: configuration.listen,
    anyHost: configuration.bindAny,
    clipperWithoutToken: configuration.compat,
    firstReportMs: FIRST_REPORT_MS,
    logger,
  });

  let stopping = false;
  const stop = (why: string, drainMs = DRAIN_MS) => {
    if (stopping) return;
    stopping = true;
    logger.info({ why }, "draining");
    setTimeout(() => {
      logger.warn({ drainMs }, "requests were still open");
      process.exit(0);
    }, drainMs).unref();
    frontend
      .stop()
      .then(() => store[Symbol.asyncDispose]())
      .then(() => process.exit(0), fail);
  };
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
  if (configuration.lifelineFd !== undefined) {
    watchConfiguredLifeline(configuration.lifelineFd, () =>
      stop("the platform is gone", DRAIN_WITHOUT_PLATFORM_MS),
    );
  }

  const address = await frontend.start();
  for (const problem of store.problems?.() ?? []) logger.error({ problem }, "a record is damaged");
  logger.info({ address: formatAddress(address), store: store.name, version }, "ready");
}

/** One line, whatever it was: people read it in a platform's status. */
function fail(error: unknown): void {
  const hint = ClipperError.isInstance(error) && error.hint !== undefined ? ` (${error.hint})` : "";
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`management-frontend: ${text.replaceAll(/\s+/g, " ")}${hint}\n`);
  process.exit(ConfigurationError.isInstance(error) ? EXIT_CONFIGURATION : 1);
}

main().catch(fail);
