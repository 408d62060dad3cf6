import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ServiceLoadError } from "../../../runtime/message/errors.ts";

/** Options of {@linkcode Compiler.compile}. */
export interface CompileOptions {
  readonly output: string;
  /** Modules beside those that the entry imports. */
  readonly include: readonly string[];
  /** Paths of what the modules come with and do not need. */
  readonly exclude: readonly string[];
  /** Path of a `deno.json`; undefined for none. */
  readonly config: string | undefined;
  /** Path of an import map, in place of the names in `config`. */
  readonly importMap: string;
  /** @default {the platform of the deno that compiles} */
  readonly target?: string;
}

/** What the runtime is run with: main may do everything, and restricts its threads. */
const RUN_OPTIONS = ["--allow-all", "--no-prompt", "--unstable-worker-options", "--unstable-no-legacy-abort"];

/** `deno compile`, of the deno that runs this or of the one on the machine. */
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
    // Otherwise all packages of the lock file are put in, needed or not; earlier versions can only do without it.
    const onlyUsed = output.includes("--exclude-unused-npm") ? "--exclude-unused-npm" : "--no-lock";
    return new Compiler(deno, [...RUN_OPTIONS, onlyUsed]);
  }

  /** Where `deno` itself is. */
  get path(): string {
    return this.#deno;
  }

  /** Path of a package's file as this deno has it; undefined where it is no file. */
  async locate(specifier: string): Promise<string | undefined> {
    const text = JSON.stringify(specifier);
    // What is not imported is not there.
    const code = `import(${text}).catch(() => {}); console.log(import.meta.resolve(${text}))`;
    const { output } = await run(this.#deno, ["eval", "--quiet", code]);
    const url = output.trim();
    return url.startsWith("file:") ? fileURLToPath(url) : undefined;
  }

  /** @throws {ServiceLoadError} If it does not compile. */
  async compile(
    entry: string,
    { output, include, exclude, config, importMap, target }: CompileOptions,
  ): Promise<void> {
    const { success, output: said } = await run(this.#deno, [
      ...["compile", "--quiet", "--no-check", ...this.#options],
      ...(config === undefined ? ["--no-config"] : ["--config", config]),
      ...["--import-map", importMap],
      ...(target === undefined ? [] : ["--target", target]),
      ...include.flatMap((module) => ["--include", module]),
      ...exclude.flatMap((path) => ["--exclude", path]),
      ...["--output", output, entry],
    ]);
    if (success) return;
    if (said.includes("Setting up base binary")) {
      throw new ServiceLoadError(
        `Cannot compile ${output}: what deno compile builds on cannot be downloaded from dl.deno.land. ` +
          "Connect this machine to it once, or name a file that has it in DENORT_BIN",
      );
    }
    const reason = said.split(/\n+Stack backtrace:/)[0]!.replace(/^error: /m, "").trim();
    throw new ServiceLoadError(`Cannot compile ${output}: ${reason}`);
  }
}

/**
 * Starts a binary that was made for this platform, and takes it away if it is not what it should be.
 *
 * @param version What it has to call itself.
 * @throws {ServiceLoadError} If it does not start.
 */
export async function verifyBinary(path: string, version: string): Promise<void> {
  const { output } = await run(resolve(path), ["--version"]);
  if (output.includes(version)) return;
  await Deno.remove(path);
  const base = Deno.env.get("DENORT_BIN");
  const advice = base === undefined
    ? ""
    : `. DENORT_BIN must name a base of the same version of Deno, not ${base}`;
  throw new ServiceLoadError(`Cannot use ${path}: it does not start${advice}`);
}

async function run(deno: string, args: readonly string[]): Promise<{ success: boolean; output: string }> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(deno, {
      args: [...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    return { success, output: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    // Deno throws no class of its own where there is no PATH at all.
    if (!(error instanceof Deno.errors.NotFound) && Deno.env.get("PATH") !== undefined) throw error;
    throw new ServiceLoadError(
      "Cannot compile: this program is a binary, which needs deno for it, and there is none on PATH. " +
        "Install Deno, https://deno.com",
      { cause: error },
    );
  }
}
