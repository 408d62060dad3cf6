import type { Manifest } from "../../../runtime/service/manifest.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import { escapeControls, escapeControlsInLines } from "../../../runtime/log/terminal_text.ts";
import { type ServiceSettings, serviceSettings } from "../../../runtime/serving/settings.ts";
import type { Settings } from "../../settings.ts";
import type { CommandIo } from "../command_io.ts";
import { brokerCheck } from "../doctor/broker_check.ts";
import { configCheck } from "../doctor/config_check.ts";
import { denoCheck } from "../doctor/deno_check.ts";
import { type Finding, type FindingState, runCheck } from "../doctor/finding.ts";
import { isolationCheck } from "../doctor/isolation_check.ts";
import { machineCheck } from "../doctor/machine_check.ts";
import { moduleCheck } from "../doctor/module_check.ts";
import { packageCheck } from "../doctor/package_check.ts";
import { portCheck } from "../doctor/port_check.ts";
import type { RunFlags } from "../flags/run_config.ts";
import { EXIT } from "../view/failure_report.ts";

/** Milliseconds that a module may take to load: its packages may have to be fetched. */
const MODULE_LIMIT = 60_000;

/** Milliseconds that the processes may take to start and end that services are to have. */
const ISOLATION_LIMIT = 30_000;

/** Looks at what services need before they run, and prints what it has found. */
export async function doctorCommand(
  modules: readonly string[],
  { json = false, ...flags }: RunFlags & { readonly json?: boolean },
  io: CommandIo,
): Promise<number> {
  const done = await io.startOver(modules[0]);
  if (done !== undefined) return done;
  configureLogging({
    level: flags.logLevel ?? "error",
    colors: io.colors,
    write: (line) => io.writeMessage(`${line}\n`),
  });
  const findings = await examine(modules, flags, io);
  const problems = findings.filter(({ state }) => state === "problem").length;
  const warnings = findings.filter(({ state }) => state === "warning").length;
  io.writeResult(
    json
      ? `${escapeControlsInLines(JSON.stringify(findings, null, 2))}\n`
      : `${formatFindings(findings, io.screen?.colors ?? false)}\n${counted(problems, "problem")}, ${
        counted(warnings, "warning")
      }\n`,
  );
  return problems === 0 ? EXIT.fine : PROBLEMS;
}

/** Exit status if something is wrong. */
const PROBLEMS = 1;

/** Runs the checks: those that wait for others outside run at the same time. */
async function examine(
  modules: readonly string[],
  flags: RunFlags,
  io: CommandIo,
): Promise<readonly Finding[]> {
  const { broker, importMap } = flags;
  let settings: Settings | undefined;
  const config = await runCheck("configuration", configCheck(flags, io, (read) => void (settings = read)));
  const known = settings;
  const packages = runCheck("packages", packageCheck(modules, flags.lock, io));
  const messages = known &&
    runCheck("broker", brokerCheck({ settings: known, ...(broker !== undefined && { broker }) }));
  const manifests: Manifest[] = [];
  const loaded: Finding[] = [];
  for (const module of known === undefined ? [] : modules) {
    const check = moduleCheck(module, {
      settings: known!,
      ...(importMap !== undefined && { importMap }),
      onManifests: (more) => void manifests.push(...more),
    });
    loaded.push(...await runCheck("module", check, MODULE_LIMIT));
  }
  const served = manifests.length === 0 ? ["any"] : manifests.map(({ name }) => name);
  const threads = known && served.map((name) => serviceSettings(known.runtime, name));
  const isolation = known === undefined
    ? []
    : await runCheck("isolation", isolationCheck(isolatedServices(known, manifests)), ISOLATION_LIMIT);
  return [
    ...await runCheck("Deno", denoCheck(modules)),
    ...await runCheck("machine", machineCheck(threads, known?.runtime.processes ?? 1)),
    ...await packages,
    ...config,
    ...await messages ?? [],
    ...known === undefined
      ? []
      : await runCheck("ports", portCheck(known, modules.length === 0 ? undefined : manifests)),
    ...isolation,
    ...loaded,
    ...known === undefined ? [NOT_CHECKED] : [],
  ];
}

/** Gives the settings of the services that were named, or else of all that the configuration has something for. */
function isolatedServices(
  { runtime }: Settings,
  manifests: readonly Manifest[],
): ReadonlyMap<string, ServiceSettings> {
  const names = manifests.length === 0
    ? [...runtime.services.keys(), "all other services"]
    : manifests.map(({ name }) => name);
  return new Map(names.map((name) => [name, serviceSettings(runtime, name)]));
}

const NOT_CHECKED: Finding = {
  about: "configuration",
  state: "warning",
  text:
    "Broker, ports and modules were not looked at, because nobody knows their settings. Mend the configuration first",
};

const COLORS: Readonly<Record<FindingState, string>> = {
  ok: "\x1b[32m",
  warning: "\x1b[33m",
  problem: "\x1b[31m",
};

function formatFindings(findings: readonly Finding[], colored: boolean): string {
  const groups = Map.groupBy(findings, ({ about }) => about);
  return [...groups].map(([about, each]) => {
    const lines = each.map(({ state, text }) => {
      const mark = state.padEnd("problem".length);
      return `  ${colored ? `${COLORS[state]}${mark}\x1b[0m` : mark}  ${escapeControls(text)}\n`;
    });
    return `${about}\n${lines.join("")}`;
  }).join("");
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
