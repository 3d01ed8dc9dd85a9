import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** Absolute path of the frontend as one file, which any Node of this package's `engines` runs without an installation. */
export const bundlePath: string = fileURLToPath(new URL("../dist/query-frontend.mjs", import.meta.url));

const manifest = createRequire(import.meta.url)("../package.json") as { version: string };

/** Version of this package, and so of the bundle. */
export const version: string = manifest.version;
