import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** Directory to put on `PYTHONPATH`: with it `python -m clipper_runtime.replica` and the other commands run. */
export const pythonPath: string = fileURLToPath(new URL("../python", import.meta.url));

const manifest = createRequire(import.meta.url)("../package.json") as { version: string };

/** Version of this package, and so of the Python asset. */
export const version: string = manifest.version;

/** The asset as a wheel, for `pip install`: `clipper_runtime.save_bundle` in a notebook needs it. */
export const wheelPath: string = fileURLToPath(
  new URL(`../dist/clipper_runtime-${manifest.version}-py3-none-any.whl`, import.meta.url),
);
