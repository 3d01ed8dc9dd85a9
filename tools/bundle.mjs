/**
 * Bundles the frontend in the current directory into one file that Node runs without an installation:
 * `src/main.ts` → `dist/<folder>.mjs`. The licences of what went in are kept beside it.
 */
import { basename } from "node:path";
import { build } from "esbuild";

const name = basename(process.cwd());

await build({
  entryPoints: ["src/main.ts"],
  outfile: `dist/${name}.mjs`,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node22.19",
  sourcemap: "linked",
  legalComments: "linked",
  // CommonJS inside an ES module still asks for built-ins by `require`, which an ES module does not have.
  banner: {
    js: 'import { createRequire as bundleCreateRequire } from "node:module"; const require = bundleCreateRequire(import.meta.url);',
  },
  logLevel: "warning",
});
