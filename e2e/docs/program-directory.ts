import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { publishedPackages } from "../../tools/repository.ts";
import { eventually } from "../support/eventually.ts";
import { processesOf } from "../support/processes.ts";
import { Scratch } from "../support/scratch.ts";
import { codeBlocks, readMarkdown } from "./markdown.ts";

const run = promisify(execFile);

/**
 * Where a reader would try what a page shows: every package is found by its name, as after `npm install`, and `total.py` of the
 * README lies there. Clusters that are started in it are known only in it.
 */
export class ProgramDirectory implements AsyncDisposable {
  readonly #scratch = new Scratch();
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  static async create(): Promise<ProgramDirectory> {
    // Inside the repository, so that Node takes types out of programs that import its packages.
    const directory = new ProgramDirectory(await mkdtemp(join(import.meta.dirname, ".program-")));
    await directory.#fill();
    return directory;
  }

  /** Runs a program to its end. @returns what it printed @throws when it fails, or takes 30 s */
  async run(program: string): Promise<string> {
    await writeFile(join(this.#path, "program.ts"), program);
    return await this.#execute(process.execPath, ["program.ts"]);
  }

  async shell(line: string): Promise<string> {
    return await this.#execute("sh", ["-c", line]);
  }

  /** Waits until nothing that was started here runs any more. */
  async quiet(): Promise<void> {
    await eventually("the end of what was started", 5_000, () => this.#processes().length === 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { pid } of this.#processes()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
    }
    await rm(this.#path, { recursive: true, force: true });
    this.#scratch[Symbol.dispose]();
  }

  async #fill(): Promise<void> {
    const scope = join(this.#path, "node_modules", "@clipper-serving");
    await mkdir(scope, { recursive: true });
    await Promise.all(
      publishedPackages().map(({ folder, directory }) => symlink(directory, join(scope, folder))),
    );
    const [totalPy = ""] = codeBlocks(readMarkdown("README.md"), "python");
    await writeFile(join(this.#path, "total.py"), totalPy);
  }

  async #execute(file: string, args: readonly string[]): Promise<string> {
    const env = { ...process.env, ...this.#scratch.env };
    return (await run(file, args, { cwd: this.#path, env, timeout: 30_000 })).stdout;
  }

  #processes() {
    return processesOf(this.#scratch.directory);
  }
}
