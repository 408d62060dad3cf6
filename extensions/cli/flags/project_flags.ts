import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { isRecord } from "../../../runtime/message/plain.ts";
import { isOwnModule } from "../../../runtime/program/own_modules.ts";
import { OWN_PACKAGE } from "../../../runtime/program/own_package.ts";
import { nearestConfig, nearestPackageJson, programConfig } from "../../../runtime/program/program_config.ts";
import { parseModuleSpecifier } from "../../../runtime/module/specifier.ts";

/**
 * Returns the flags by which Deno locks the packages of a service in the `deno.lock` of the service's project, as
 * `deno run` of its module would. Without them, Deno would take the lock file of this program.
 *
 * If the project's `deno.json` takes the runtime from here, the whole program runs under that file, and Deno resolves
 * the names in it. Otherwise only the lock file is the project's.
 *
 * @param module Path or URL of the module, as the user has typed it.
 * @param given The flags that Deno was started with.
 * @param mainModule URL of this program's main module.
 */
export function projectFlags(
  module: string,
  given: readonly string[],
  mainModule: string,
): readonly string[] {
  // Deno itself looks for the project in the working folder if the program comes from the network.
  if (!mainModule.startsWith("file:") || given.some((word) => CHOSEN.test(word))) return [];
  const url = urlOf(module);
  if (url === undefined) return [];
  const config = nearestConfig(url);
  if (config !== undefined && config === programConfig()) return [];
  const file = config === undefined ? undefined : contentOf(config);
  // Packages of the runtime are not in the project's node_modules.
  if (config !== undefined && takesRuntimeFromHere(file, config)) {
    return ["--config", config, "--node-modules-dir=none"];
  }
  const project = config ?? nearestPackageJson(url);
  return [
    project === undefined || file?.["lock"] === false
      ? "--no-lock"
      : `--lock=${join(dirname(project), "deno.lock")}`,
  ];
}

/** Flags with which a user has chosen the lock file, or the project, which has one. */
const CHOSEN = /^(?:--no-lock|--lock(?:=.*)?|--config(?:=.*)?|-c|--no-config)$/;

/** The module's URL; undefined if the text names none, which is reported when the module is loaded. */
function urlOf(module: string): string | undefined {
  try {
    return parseModuleSpecifier(module).url;
  } catch {
    return undefined;
  }
}

/** Reads a `deno.json`; undefined if it has comments or mistakes, which the loading of the module reports. */
function contentOf(config: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(config, "utf8"));
    return isRecord(content) ? content : undefined;
  } catch {
    return undefined;
  }
}

/** Says whether the runtime's name, and no name of its doors, leads elsewhere than to this program's own modules. */
function takesRuntimeFromHere(
  file: Readonly<Record<string, unknown>> | undefined,
  config: string,
): boolean {
  const imports = file?.["imports"];
  if (!isRecord(imports) || !Object.hasOwn(imports, OWN_PACKAGE.name)) return false;
  const base = pathToFileURL(config);
  return Object.entries(imports).every(([name, address]) =>
    (name !== OWN_PACKAGE.name && !name.startsWith(`${OWN_PACKAGE.name}/`)) ||
    (typeof address === "string" && URL.canParse(address, base) && isOwnModule(new URL(address, base).href))
  );
}
