import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { Engine } from "../engine/engine.js";
import { LABEL } from "../workload/labels.js";
import { inspectionName } from "../workload/names.js";

/** What a frontend's image says of itself; its entrypoint begins with Node. */
const FRONTEND_IMAGE = "clipper.role=frontend";
const PROGRAM =
  "const { bavail, bsize } = require('node:fs').statfsSync('/'); console.log('free=' + bavail * bsize)";
const LOOKS = 100;
const LOOK_EVERY_MS = 100;

/**
 * Has a container look: its root lies where the engine keeps its data. Of one of our own images, which is there once a cluster was.
 * @returns undefined when there is none, or it does not tell
 */
export async function probeFreeBytes(engine: Engine): Promise<number | undefined> {
  const [listed] = await engine.images.list([FRONTEND_IMAGE]);
  const image = listed === undefined ? undefined : await engine.images.inspect(listed.Id);
  const node = image?.Config?.Entrypoint?.[0];
  if (image === undefined || node === undefined) return undefined;
  const id = await engine.containers.create(inspectionName(randomUUID()), {
    Image: image.Id,
    Entrypoint: [node, "-e", PROGRAM],
    Cmd: [],
    // One plain stream, without the frames that tell two apart.
    Tty: true,
    Labels: { [LABEL.kind]: "inspection" },
    HostConfig: { NetworkMode: "none", ReadonlyRootfs: true, CapDrop: ["ALL"] },
  });
  try {
    await engine.containers.start(id);
    for (let look = 0; look < LOOKS; look += 1) {
      if ((await engine.containers.inspect(id))?.State.Status === "exited") break;
      await wait(LOOK_EVERY_MS);
    }
    const free = /free=(\d+)/.exec(await outputOf(engine, id))?.[1];
    return free === undefined ? undefined : Number(free);
  } finally {
    await engine.containers.remove(id);
  }
}

async function outputOf(engine: Engine, id: string): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of await engine.containers.logs(id, { follow: false })) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
