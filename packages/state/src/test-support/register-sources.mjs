import { existsSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

/*
 * Lets a child process import our TypeScript as the tests do: `./x.js` is `./x.ts`, and a package of ours is its sources.
 */
const packages = new URL("../../../", import.meta.url);

registerHooks({
  resolve(specifier, context, next) {
    const ours = /^@clipper-serving\/([a-z-]+)$/.exec(specifier);
    if (ours !== null) return next(new URL(`${ours[1]}/src/index.ts`, packages).href, context);
    if (specifier.startsWith(".") && specifier.endsWith(".js") && context.parentURL !== undefined) {
      const source = new URL(specifier.replace(/\.js$/, ".ts"), context.parentURL);
      if (existsSync(fileURLToPath(source))) return next(pathToFileURL(fileURLToPath(source)).href, context);
    }
    return next(specifier, context);
  },
});
