/**
 * The binaries under test, built once for a run.
 *
 * `deno compile` needs a base that it downloads. Where that cannot be had there are no binaries, and their tests are
 * ignored; every other failure to build one is a failure. `ENOKI_COMPILE_DENO` names another deno to compile with.
 */
import { join } from "node:path";
import { runProgram } from "./program.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** The service that all of them serve. */
export const SHOP = new URL("./shop_service.ts", import.meta.url).pathname;

/** Paths of the binaries. */
export interface Binaries extends AsyncDisposable {
  readonly folder: string;
  /** Has all commands. */
  readonly generic: string;
  /** Has the shop inside, and a configuration. */
  readonly application: string;
  /** Does nothing. */
  readonly empty: string;
}

/** The configuration inside the application. */
const CONFIG = `
max_workers: 3
grace: \${SHOP_GRACE:20}
`;

/** Path of the deno that they are compiled with. */
export const COMPILER = Deno.env.get("ENOKI_COMPILE_DENO") ?? Deno.execPath();

/** Builds them; undefined where they cannot be had. */
export async function buildBinaries(): Promise<Binaries | undefined> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "enoki-e2e-" }));
  const [generic, application, empty] = ["enoki", "shop", "empty"].map((name) => join(folder, name));
  const [config, source] = ["defaults.yaml", "empty.ts"].map((name) => join(folder, name));
  const binaries: Binaries = {
    folder,
    generic: generic!,
    application: application!,
    empty: empty!,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
  await Deno.writeTextFile(config!, CONFIG);
  await Deno.writeTextFile(source!, "export {};\n");
  try {
    await compile("-o", binaries.generic);
    await compile(SHOP, "-o", binaries.application, "--config", config!);
    await runProgram([COMPILER, "compile", "--quiet", "--output", binaries.empty, source!]);
    return binaries;
  } catch (error) {
    await binaries[Symbol.asyncDispose]();
    if (!(error instanceof Error && error.message.includes("cannot be downloaded"))) throw error;
    // deno-lint-ignore no-console -- a skipped suite must say so
    console.warn(`Tests of binaries are ignored: ${error.message}`);
    return undefined;
  }
}

/** Runs the command `compile`; rejects with what it says where it fails. */
export async function compile(...args: readonly string[]): Promise<void> {
  const { status, err } = await runProgram(
    [COMPILER, "run", "-A", "--no-check", join(ROOT, "cli.ts"), "compile", ...args],
    { env: { DENO_TLS_CA_STORE: "mozilla,system", NO_COLOR: "1" } },
  );
  if (status !== 0) throw new Error(err.trim().split("\n").at(-1));
}
