/**
 * Bundles the frontend in the current directory into one file that Node runs without an installation:
 * `src/main.ts` → `dist/<folder>.mjs`, with the licences of all that went in beside it.
 */
import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { build } from "esbuild";
import { licencesOf } from "./bundled-licences.mjs";

const name = basename(process.cwd());

const { metafile } = await build({
  entryPoints: ["src/main.ts"],
  outfile: `dist/${name}.mjs`,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node22.19",
  sourcemap: "linked",
  metafile: true,
  // Whole licence texts lie beside the bundle.
  legalComments: "none",
  // CommonJS inside an ES module still asks for built-ins by `require`, which an ES module does not have.
  banner: {
    js: 'import { createRequire as bundleCreateRequire } from "node:module"; const require = bundleCreateRequire(import.meta.url);',
  },
  logLevel: "warning",
});
writeFileSync(`dist/${name}.mjs.legal.txt`, licencesOf(Object.keys(metafile.inputs)));
