import { readFileSync } from "node:fs";
import { parseModuleSpecifier } from "../../../runtime/module/specifier.ts";
import {
  hasInterruptibleLoops,
  INTERRUPTIBLE_LOOPS_FLAG,
} from "../../../runtime/permissions/interruptible_loops.ts";
import { hasWorkerOptions, WORKER_OPTIONS_FLAG } from "../../../runtime/permissions/worker_options.ts";
import { nearestConfig, programConfig } from "../../../runtime/program/program_config.ts";
import { complaintAboutDeno, OLDEST_DENO } from "../view/deno_version.ts";
import type { Check } from "./finding.ts";

/** Looks at Deno, its flags, and the `deno.json` of the first module. */
export function denoCheck(modules: readonly string[]): Check {
  return (found) => {
    const { deno } = Deno.version;
    const complaint = complaintAboutDeno(deno);
    if (complaint === undefined) {
      found.ok(`Deno ${deno} is new enough: the oldest that works is ${OLDEST_DENO}`);
    } else found.problem(complaint);
    if (hasWorkerOptions() === false) {
      found.problem(`Deno cannot restrict services without ${WORKER_OPTIONS_FLAG}. Add it after deno run`);
    }
    if (hasInterruptibleLoops() === false) {
      found.warn(
        `Some endless loops cannot be ended without ${INTERRUPTIBLE_LOOPS_FLAG}. Add it after deno run`,
      );
    }
    const [first] = modules;
    const config = first === undefined ? undefined : nearestConfig(parseModuleSpecifier(first).url);
    if (config === undefined || config === programConfig()) return;
    if (/"worker-options"/.test(readFileSync(config, "utf8"))) {
      found.ok(`${config} lets programs of this project restrict services`);
    } else {
      found.warn(
        `${config} has no "unstable": ["worker-options"], so that a program of this project that calls run() ` +
          "cannot restrict services that have isolation: threads. Add it, unless enoki run is all that serves",
      );
    }
  };
}
