import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { INTERRUPTIBLE_LOOPS_FLAG } from "../../../runtime/permissions/interruptible_loops.ts";
import { YOUNG_HEAP_FLAG } from "../../../runtime/program/young_heap.ts";
import { ServiceLoadError } from "../../../runtime/message/errors.ts";
import { unneededFiles } from "./unneeded_files.ts";

/** Options of {@linkcode Compiler.compile}. */
export interface CompileOptions {
  readonly output: string;
  /** Modules beside those that the entry imports. */
  readonly include: readonly string[];
  /** Paths of files that come with the modules and that the modules do not need. */
  readonly exclude: readonly string[];
  /** Path of a `deno.json`; undefined for none. */
  readonly config: string | undefined;
  /** Path of an import map, in place of the names in `config`. */
  readonly importMap: string;
  /** @default {the platform of the deno that compiles} */
  readonly target?: string;
  /** Whether OpenTelemetry is on in the binary. No variable can change that where the binary runs. */
  readonly otel: boolean;
}

/** Options that the runtime is run with: the main thread may do everything, and restricts its threads. */
const RUN_OPTIONS = [
  "--allow-all",
  "--no-prompt",
  "--unstable-worker-options",
  "--unstable-no-legacy-abort",
  "--unstable-net",
  `${INTERRUPTIBLE_LOOPS_FLAG},${YOUNG_HEAP_FLAG}`,
];

/** Runs `deno compile`: that of the deno that runs this program, or that of the deno on the machine. */
export class Compiler {
  readonly #deno: string;
  readonly #options: readonly string[];

  constructor(deno: string, options: readonly string[]) {
    this.#deno = deno;
    this.#options = options;
  }

  /** @throws {ServiceLoadError} If there is no deno. */
  static async find(): Promise<Compiler> {
    const deno = Deno.build.standalone ? "deno" : Deno.execPath();
    const { output } = await run(deno, ["compile", "--help"]);
    // Without this option, deno puts in all packages of the lock file, needed or not. Earlier versions do not
    // have the option, so they must go without the lock file.
    const onlyUsed = output.includes("--exclude-unused-npm") ? "--exclude-unused-npm" : "--no-lock";
    return new Compiler(deno, [...RUN_OPTIONS, onlyUsed]);
  }

  /** Path of `deno` itself. */
  get path(): string {
    return this.#deno;
  }

  /** Returns the path of a package's file as this deno has it; undefined if it is not a file. */
  async locate(specifier: string): Promise<string | undefined> {
    const text = JSON.stringify(specifier);
    // Deno has the file of a package only after an import.
    const code = `import(${text}).catch(() => {}); console.log(import.meta.resolve(${text}))`;
    const { output } = await run(this.#deno, ["eval", "--quiet", code]);
    const url = output.trim();
    return url.startsWith("file:") ? fileURLToPath(url) : undefined;
  }

  /** Lists paths of files that no program needs, of Enoki's own packages. */
  async unneededFiles(): Promise<readonly string[]> {
    const { output } = await run(this.#deno, ["info", "--quiet", "--json"]);
    const { npmCache }: { npmCache: string } = JSON.parse(output);
    return await unneededFiles(npmCache);
  }

  /** @throws {ServiceLoadError} If the entry does not compile. */
  async compile(
    entry: string,
    { output, include, exclude, config, importMap, target, otel }: CompileOptions,
  ): Promise<void> {
    const { success, output: said } = await run(this.#deno, [
      ...["compile", "--quiet", "--no-check", ...this.#options],
      ...(config === undefined ? ["--no-config"] : ["--config", config]),
      ...["--import-map", importMap],
      ...(target === undefined ? [] : ["--target", target]),
      ...include.flatMap((module) => ["--include", module]),
      ...exclude.flatMap((path) => ["--exclude", path]),
      ...["--output", output, entry],
    ], { OTEL_DENO: String(otel) });
    if (success) return;
    if (said.includes("Setting up base binary")) {
      throw new ServiceLoadError(
        `Cannot compile ${output}: the base binary of deno compile cannot be downloaded from dl.deno.land. ` +
          "Connect this machine to that host once, or set DENORT_BIN to a file with the base binary",
      );
    }
    const reason = said.split("\nStack backtrace:")[0]!.replace(/^error: /m, "").trim();
    throw new ServiceLoadError(`Cannot compile ${output}: ${reason}`);
  }
}

/**
 * Starts a binary that was made for this platform, and removes it if it does not print the right version.
 *
 * @param version Text that the binary has to print for `--version`.
 * @throws {ServiceLoadError} If the binary does not start.
 */
export async function verifyBinary(path: string, version: string): Promise<void> {
  const { output } = await run(resolve(path), ["--version"]);
  if (output.includes(version)) return;
  await Deno.remove(path);
  const base = Deno.env.get("DENORT_BIN");
  const advice = base === undefined
    ? ""
    : `. DENORT_BIN must name a base binary of the same version of Deno, not ${base}`;
  throw new ServiceLoadError(`Cannot use ${path}: it does not start${advice}`);
}

async function run(
  deno: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ success: boolean; output: string }> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(deno, {
      args: [...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1", ...env },
    }).output();
    const decoder = new TextDecoder();
    return { success, output: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    // Without any PATH, Deno throws an error that is not of a Deno class.
    if (!(error instanceof Deno.errors.NotFound) && Deno.env.get("PATH") !== undefined) throw error;
    throw new ServiceLoadError(
      "Cannot compile: this program is a binary, so it needs deno for that, and there is none on PATH. " +
        "Install Deno, https://deno.com",
      { cause: error },
    );
  }
}
