import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseModuleSpecifier } from "../../../runtime/module/specifier.ts";
import { nearestConfig } from "../../../runtime/program/program_config.ts";
import { timeLimit } from "../../../runtime/waiting/abort.ts";
import type { CommandIo } from "../command_io.ts";
import type { Check } from "./finding.ts";

/** Where packages come from if nothing says otherwise. */
const REGISTRY = "https://registry.npmjs.org/";

/** Milliseconds that the registry may take. */
const REGISTRY_LIMIT = 3_000;

/** Seconds that two clocks may differ. */
const MOST_SKEW = 5;

/** Looks at the lock file of the first module, at Deno's cache, at the registry of packages, and at the clock. */
export function packageCheck(modules: readonly string[], lock: string | undefined, io: CommandIo): Check {
  return async (found, signal) => {
    const [first] = modules;
    const config = first === undefined ? undefined : nearestConfig(parseModuleSpecifier(first).url);
    const file = lock ?? (config === undefined ? undefined : join(dirname(config), "deno.lock"));
    if (file !== undefined) {
      if (await may(file, constants.R_OK)) found.ok(`${file} locks the versions of packages`);
      else found.warn(`There is no ${file}, so that packages may change. Run deno install, and commit it`);
    }
    if (!Deno.build.standalone) {
      const cache = await cacheFolder(signal);
      if (cache !== undefined && await may(cache, constants.W_OK)) {
        found.ok(`${cache} takes packages and modules`);
      } else {found.warn(
          `Cannot write ${cache ?? "Deno's cache"}: new packages cannot be kept. Set DENO_DIR`,
        );}
    }
    const registry = io.env.get("NPM_CONFIG_REGISTRY") || REGISTRY;
    const date = await registryDate(registry, signal);
    if (date === undefined) {
      found.warn(
        `${registry} does not answer: packages that are not in the cache cannot be fetched. Fill the cache, or set ` +
          "NPM_CONFIG_REGISTRY",
      );
      return;
    }
    found.ok(`${registry} answers`);
    const skew = Math.round(Math.abs(Date.now() - date) / 1_000);
    if (skew > MOST_SKEW) {
      found.warn(
        `The clock is ${skew} s off that of ${registry}. Set it by NTP: deadlines and tokens depend on it`,
      );
    } else found.ok("The clock is right");
  };
}

async function may(path: string, mode: number): Promise<boolean> {
  try {
    await access(path, mode);
    return true;
  } catch {
    return false;
  }
}

async function cacheFolder(signal: AbortSignal): Promise<string | undefined> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
    stdin: "null",
    stderr: "null",
    signal,
  }).output();
  try {
    return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
  } catch {
    return undefined;
  }
}

/** The time at the registry, in milliseconds since the epoch; undefined if it does not answer. */
async function registryDate(registry: string, signal: AbortSignal): Promise<number | undefined> {
  using limit = timeLimit(REGISTRY_LIMIT, signal);
  try {
    const response = await fetch(registry, { method: "HEAD", redirect: "manual", signal: limit.signal });
    await response.body?.cancel();
    return Date.parse(response.headers.get("date") ?? "") || Date.now();
  } catch {
    return undefined;
  }
}
