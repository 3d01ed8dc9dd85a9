import { randomUUID } from "node:crypto";
import type { ImageFile } from "@clipper-serving/spec";
import type { Engine } from "../engine/engine.js";
import { kindFilter, LABEL } from "../workload/labels.js";
import { inspectionName } from "../workload/names.js";
import { firstFileOf, linkTargetOf } from "../workload/tar.js";

const LARGEST_CONTENT = 64 * 1_024;
/** What somebody left behind who was killed while he looked. */
const ABANDONED_AFTER_S = 600;
/** As the engine lists them. */
const OWN_NAMES = `/${inspectionName("")}`;
/** In Go's `os.FileMode`: a link, and anything that is no plain file. */
const LINK_BIT = 2 ** 27;
const TYPE_BITS = 2 ** 31 + 2 ** 27 + 2 ** 26 + 2 ** 25 + 2 ** 24 + 2 ** 21 + 2 ** 19;

/** Looks at paths of an image through a container that is never started. */
export async function imageFiles(
  engine: Engine,
  image: string,
  paths: readonly string[],
): Promise<ReadonlyMap<string, ImageFile>> {
  await removeAbandoned(engine);
  const id = await engine.containers.create(inspectionName(randomUUID()), {
    Image: image,
    Entrypoint: ["never-started"],
    Cmd: [],
    Labels: { [LABEL.kind]: "inspection" },
    HostConfig: { NetworkMode: "none" },
  });
  try {
    const found = await Promise.all(
      paths.map(async (path) => [path, await fileAt(engine, id, path)] as const),
    );
    return new Map(found.flatMap(([path, file]) => (file === undefined ? [] : [[path, file] as const])));
  } finally {
    await engine.containers.remove(id);
  }
}

async function fileAt(engine: Engine, container: string, path: string): Promise<ImageFile | undefined> {
  const stat = await engine.containers.stat(container, path);
  if (stat === undefined) return undefined;
  if (hasBit(stat.mode, LINK_BIT)) {
    // The engine's own word is where it ends after all further links.
    const target = linkTargetOf(await engine.containers.getArchive(container, path));
    return { kind: "link", target: target ?? stat.linkTarget };
  }
  if (hasBit(stat.mode, TYPE_BITS)) return undefined;
  if (stat.size > LARGEST_CONTENT) return { kind: "file", size: stat.size };
  const content = firstFileOf(await engine.containers.getArchive(container, path));
  return { kind: "file", size: stat.size, ...(content === undefined ? {} : { content }) };
}

/** The mode has more bits than the language's own operators keep signless. */
function hasBit(mode: number, bits: number): boolean {
  return (BigInt(mode) & BigInt(bits)) !== 0n;
}

async function removeAbandoned(engine: Engine): Promise<void> {
  const before = Date.now() / 1_000 - ABANDONED_AFTER_S;
  const found = await engine.containers.list([kindFilter("inspection")]);
  await Promise.all(
    found
      // What somebody runs of an image that was made through such a container has its label too.
      .filter(({ Created, Names }) => Created < before && Names.some((name) => name.startsWith(OWN_NAMES)))
      .map(({ Id }) => engine.containers.remove(Id)),
  );
}
