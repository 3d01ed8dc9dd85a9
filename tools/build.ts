/** `npm run build [-- FOLDER...]`: builds all packages, or the given ones with what they depend on. */
import { runCommand } from "./run-command.ts";

const filters = process.argv.slice(2).map((folder) => `--filter=@clipper-serving/${folder}...`);
const { code } = await runCommand("turbo", ["run", "build", "--output-logs=errors-only", ...filters], {
  show: true,
});
process.exit(code);
