import { escapeControls, escapeControlsInLines } from "../../../runtime/log/terminal_text.ts";
import { moduleUrl } from "../../../runtime/module/specifier.ts";
import type { InstanceStatus } from "../../control/status.ts";
import type { LiveVersion } from "../../control/live.ts";
import type { CommandIo } from "../command_io.ts";
import type { ConfigFlags } from "./config.ts";
import { EXIT, reportFailure } from "../view/failure_report.ts";
import { formatUptime, shortId } from "../view/instance_table.ts";
import { alignColumns, entrypointRows } from "../view/service_listing.ts";
import { beginMessaging } from "./messaging.ts";

const MODULE = /[/\\:]|\.(?:[cm]?[jt]sx?|json|wasm)$/i;

/** Says whether a name is that of a service that runs: it looks like no file and no URL, and there is no such file. */
export async function isServiceName(name: string): Promise<boolean> {
  return name !== "" && !MODULE.test(name) && !(await isFile(name));
}

async function isFile(module: string): Promise<boolean> {
  return await Deno.stat(new URL(moduleUrl(module))).then(({ isFile }) => isFile, () => false);
}

/** Prints what services that run offer and need, and where they run. */
export async function describeLiveCommand(
  services: readonly string[],
  { broker, json, ...setup }: ConfigFlags & { readonly json?: boolean },
  io: CommandIo,
): Promise<number> {
  const config = await beginMessaging(setup, io);
  const [{ openControl }, { liveVersions }] = await Promise.all([
    import("../../control_connection.ts"),
    import("../../control/live.ts"),
  ]);
  try {
    await using control = await openControl({ config, ...(broker !== undefined && { broker }) });
    const versions = await liveVersions(control.client, { services });
    const missing = services.find((service) => versions.every(({ manifest }) => manifest.name !== service));
    if (missing !== undefined) {
      io.writeMessage(`${await missingText(missing, control.transport.broker)}\n`);
      return EXIT.unreachable;
    }
    const chosen = versions.filter(({ manifest }) => services.includes(manifest.name));
    io.writeResult(
      json ? formatJson(chosen) : chosen.map((version) => formatVersion(version, chosen)).join("\n"),
    );
    return EXIT.fine;
  } catch (error) {
    const { status, text } = reportFailure(error);
    io.writeMessage(`${text}\n`);
    return status;
  }
}

async function missingText(service: string, broker: string): Promise<string> {
  const file = `${service}.ts`;
  return escapeControls(
    `Cannot describe "${service}": no process that serves it answers at ${broker}, and there is no such file` +
      (await isFile(file) ? `. Did you mean ${file}?` : ""),
  );
}

function formatJson(versions: readonly LiveVersion[]): string {
  const described = versions.map(({ manifest, instances }) => ({
    ...manifest,
    instances: instances.map(({ id, host, pid, version, uptime }) => ({ id, host, pid, version, uptime })),
  }));
  return `${escapeControlsInLines(JSON.stringify(described, null, 2))}\n`;
}

function formatVersion({ manifest, instances }: LiveVersion, all: readonly LiveVersion[]): string {
  const { name, dependencies } = manifest;
  const versions = all.filter((other) => other.manifest.name === name).length;
  const entrypoints = alignColumns(entrypointRows(manifest), "  ");
  return [
    escapeControls(versions === 1 ? name : `${name} (one of ${versions} versions that run)`),
    ...(entrypoints === "" ? ["  no entrypoints"] : [entrypoints]),
    ...(dependencies.length > 0
      ? [`  needs ${escapeControls(dependencies.map(({ key }) => key).join(", "))}`]
      : []),
    alignColumns(instances.map(processRow), "  "),
  ].map((line) => `${line}\n`).join("");
}

function processRow({ id, host, pid, uptime }: InstanceStatus): readonly string[] {
  return ["runs at", host, String(pid), shortId(id), `for ${formatUptime(uptime)}`];
}
