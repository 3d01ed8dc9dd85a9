import {
  type CallOptions,
  ClipperConnection,
  ClusterHome,
  defaultHome,
  NotFoundError,
} from "@clipper-serving/core";
import { type OpenedManager, openManager, reopenManager } from "./managers.js";
import type { Output } from "./output.js";

/** What every command is given. */
export interface CommandContext {
  readonly cluster: string;
  readonly output: Output;
  /** Signal and progress, to be handed to everything that waits. */
  readonly call: CallOptions;
}

/** @returns a connection that is not connected yet, to a cluster that need not exist */
export async function openConnection(
  { cluster }: CommandContext,
  managerName?: string,
): Promise<ClipperConnection> {
  const home = defaultHome();
  const remembered = (await new ClusterHome(home, cluster).readFile())?.manager;
  const opened: OpenedManager =
    managerName === undefined && remembered !== undefined
      ? await reopenManager(remembered)
      : await openManager(managerName ?? "local");
  return new ClipperConnection(opened.manager, { cluster, home, origin: opened.origin });
}

/** @returns a connection to a cluster that runs. @throws NotFoundError when this machine knows no such cluster */
export async function connect(context: CommandContext): Promise<ClipperConnection> {
  const home = defaultHome();
  if ((await new ClusterHome(home, context.cluster).readFile()) === undefined) {
    throw new NotFoundError({
      kind: "cluster",
      name: context.cluster,
      hint: `start it with \`clipper up${context.cluster === "default" ? "" : ` --cluster ${context.cluster}`}\``,
    });
  }
  const connection = await openConnection(context);
  try {
    await connection.connect(context.call);
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}
