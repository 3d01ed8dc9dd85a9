/** `npm run build [-- FOLDER...]`: builds all packages, or the given ones with what they depend on. */
import { buildPackages } from "./build-packages.ts";

process.exit((await buildPackages(process.argv.slice(2))) ? 0 : 1);
