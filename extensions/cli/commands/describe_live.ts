import { escapeControls, escapeControlsInLines } from "../../../runtime/log/terminal_text.ts";
import type { Config } from "../../../runtime/config/file.ts";
import { moduleUrl } from "../../../runtime/module/specifier.ts";
import type { Manifest } from "../../../runtime/service/manifest.ts";
import type { InstanceStatus, LiveManifest } from "../../control/status.ts";
import type { ControlClient } from "../../control/control_client.ts";
import type { LiveVersion } from "../../control/live.ts";
import type { CommandIo } from "../command_io.ts";
import type { ConfigFlags } from "./config.ts";
import { EXIT } from "../view/failure_report.ts";
import { formatUptime, isolationText, shortId } from "../view/instance_table.ts";
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

/** Services that run, in detail, with the configuration by which they were asked. */
export interface DescribedLive {
  readonly manifests: readonly Manifest[];
  readonly config: Config;
}

/**
 * Asks services that run what they are in detail. A service that runs in several versions has several manifests, the
 * first one that of most processes.
 *
 * @returns The exit status if one of them does not run or does not answer, which a message has said then.
 * @throws {BrokerError} If the broker cannot be reached.
 */
export function describedLive(
  services: readonly string[],
  flags: ConfigFlags,
  io: CommandIo,
): Promise<DescribedLive | number> {
  return withVersions(services, flags, io, async (versions, client, config) => {
    const { DescriptionError, describedVersion } = await import("../../control/live.ts");
    try {
      const manifests = await Promise.all(versions.map((version) => describedVersion(client, version)));
      return { manifests: manifests.map(asManifest), config };
    } catch (error) {
      if (!(error instanceof DescriptionError)) throw error;
      io.writeMessage(`${escapeControls(error.message)}\n`);
      return EXIT.remoteFailure;
    }
  });
}

/** Gives the versions of services that run to `use`, or says that one of the services does not run. */
async function withVersions<Result>(
  services: readonly string[],
  { broker, ...setup }: ConfigFlags,
  io: CommandIo,
  use: (
    versions: readonly LiveVersion[],
    client: ControlClient,
    config: Config,
  ) => Result | Promise<Result>,
): Promise<Result | number> {
  const config = await beginMessaging(setup, io);
  const [{ openControl }, { liveVersions }] = await Promise.all([
    import("../../control_connection.ts"),
    import("../../control/live.ts"),
  ]);
  await using control = await openControl({ config, ...(broker !== undefined && { broker }) });
  const versions = await liveVersions(control.client, { services });
  const missing = services.find((service) => versions.every(({ manifest }) => manifest.name !== service));
  if (missing !== undefined) {
    io.writeMessage(`${await missingText(missing, control.transport.broker)}\n`);
    return EXIT.unreachable;
  }
  return await use(
    versions.filter(({ manifest }) => services.includes(manifest.name)),
    control.client,
    config,
  );
}

/** What came over the wire is plain data. */
function asManifest({ dependencies, ...manifest }: LiveManifest): Manifest {
  const withOptions = dependencies.map(({ options = {}, ...rest }) => ({ ...rest, options }));
  return { ...manifest, dependencies: withOptions } as Manifest;
}

/** Prints what services that run offer and need, and where they run. */
export function describeLiveCommand(
  services: readonly string[],
  { json, ...flags }: ConfigFlags & { readonly json?: boolean },
  io: CommandIo,
): Promise<number> {
  return withVersions(services, flags, io, (versions) => {
    io.writeResult(
      json ? formatJson(versions) : versions.map((version) => formatVersion(version, versions)).join("\n"),
    );
    return EXIT.fine;
  });
}

async function missingText(service: string, broker: string): Promise<string> {
  const file = `${service}.ts`;
  return escapeControls(
    `Cannot describe "${service}": no process that serves it answers at ${broker}, and there is no such file. ` +
      (await isFile(file)
        ? `Did you mean ${file}?`
        : "Services of Python's Nameko cannot describe themselves"),
  );
}

function formatJson(versions: readonly LiveVersion[]): string {
  const described = versions.map(({ manifest, instances }) => ({
    ...manifest,
    instances: instances.map(({ id, host, pid, version, uptime, services }) => {
      const { isolation, ownPid } = services.find(({ name }) => name === manifest.name)!;
      return { id, host, pid, version, uptime, isolation, ...(ownPid !== undefined && { ownPid }) };
    }),
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
    alignColumns(instances.map((instance) => processRow(instance, name)), "  "),
  ].map((line) => `${line}\n`).join("");
}

function processRow(
  { id, host, pid, uptime, services }: InstanceStatus,
  service: string,
): readonly string[] {
  const place = isolationText(services.find(({ name }) => name === service)!);
  return ["runs at", host, String(pid), shortId(id), `for ${formatUptime(uptime)}`, `in ${place}`];
}
