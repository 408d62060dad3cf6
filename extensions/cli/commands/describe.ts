import { Settings } from "../../settings.ts";
import { resolveConfig } from "../../../runtime/config/config.ts";
import { loadModule } from "../../../runtime/serving/loader.ts";
import { parseModuleSpecifier } from "../../../runtime/module/specifier.ts";
import { configureLogging, emitRecord } from "../../../runtime/log/observe.ts";
import { escapeControls, escapeControlsInLines } from "../../../runtime/log/terminal_text.ts";
import type { ServiceExport } from "../../../runtime/channel/port.ts";
import type { CommandIo } from "../command_io.ts";
import { EXIT } from "../view/failure_report.ts";
import { requireModuleFiles } from "../flags/module_files.ts";
import { type ModuleFlags, withModuleFlags } from "../flags/module_flags.ts";
import { type PermissionFlags, permissionsOf } from "../flags/permission_flags.ts";
import type { ConfigFlags } from "./config.ts";
import { alignColumns, entrypointRows } from "../view/service_listing.ts";

/** Flags of `describe`. */
export type DescribeFlags = ConfigFlags & PermissionFlags & ModuleFlags & {
  readonly json?: boolean;
  readonly openapi?: boolean;
  /** Title of the OpenAPI document. */
  readonly title?: string;
  /** Version of the OpenAPI document. */
  readonly apiVersion?: string;
};

/** Prints the services that modules export, without serving them, or services that run, which are named. */
export async function describeCommand(
  targets: readonly string[],
  flags: DescribeFlags,
  io: CommandIo,
): Promise<number> {
  const { describeLiveCommand, isServiceName } = await import("./describe_live.ts");
  const areNames = await Promise.all(targets.map(isServiceName));
  const names = targets.filter((_, index) => areNames[index]);
  const modules = targets.filter((_, index) => !areNames[index]);
  if (names.length > 0 && flags.openapi) {
    io.writeMessage(
      `Cannot make an OpenAPI document of "${escapeControls(names[0]!)}": it needs the module\n`,
    );
    return EXIT.usage;
  }
  if (names.length > 0 && modules.length > 0) {
    const [name, module] = [names[0]!, modules[0]!].map(escapeControls);
    io.writeMessage(
      `Cannot describe "${name}", which runs, together with module ${module}. Do one at a time\n`,
    );
    return EXIT.usage;
  }
  return names.length > 0
    ? await describeLiveCommand(names, flags, io)
    : await describeModules(modules, flags, io);
}

async function describeModules(
  modules: readonly string[],
  { config: file, define, json, openapi = false, title, apiVersion, ...flags }: DescribeFlags,
  io: CommandIo,
): Promise<number> {
  const done = await io.startOver(modules[0]);
  if (done !== undefined) return done;
  configureLogging({ colors: io.colors, write: (line) => io.writeMessage(`${line}\n`) });
  const config = await resolveConfig({
    env: io.env,
    ...(file !== undefined && { file }),
    ...(define && { define }),
  });
  const settings = await Settings.read(withModuleFlags(config, flags));
  const { modules: fetching, permissions: configured, env } = settings.runtime;
  const permissions = permissionsOf(flags) ?? configured;
  await requireModuleFiles(modules);
  const services: ServiceExport[] = [];
  for (const module of modules) {
    const loaded = await loadModule(parseModuleSpecifier(module), {
      permissions,
      modules: fetching,
      ...(env && { env }),
      ...(flags.importMap !== undefined && { importMap: flags.importMap }),
      details: openapi,
      onLog: emitRecord,
    });
    loaded.thread.kill("it is described");
    await loaded.spawner[Symbol.asyncDispose]();
    services.push(...loaded.services);
  }
  if (openapi) {
    const { openApiDocument } = await import("../../http/openapi/document.ts");
    const { httpSettings } = await import("../../http/settings.ts");
    const { openapi: facts } = settings.of(httpSettings);
    const document = openApiDocument(services.map(({ manifest }) => manifest), {
      title: title ?? facts?.title,
      version: apiVersion ?? facts?.version,
      servers: facts?.servers,
      onOmission: (message) => io.writeMessage(`${escapeControls(message)}\n`),
    });
    io.writeResult(`${escapeControlsInLines(JSON.stringify(document, null, 2))}\n`);
  } else io.writeResult(json ? formatJson(services) : formatTable(services));
  return EXIT.fine;
}

function formatJson(services: readonly ServiceExport[]): string {
  const described = services.map(({ exportName, manifest }) => ({ export: exportName, ...manifest }));
  return `${escapeControlsInLines(JSON.stringify(described, null, 2))}\n`;
}

function formatTable(services: readonly ServiceExport[]): string {
  return services.map(({ exportName, manifest }) => {
    const { name, dependencies } = manifest;
    const entrypoints = alignColumns(entrypointRows(manifest), "  ");
    return [
      escapeControls(exportName === "default" ? name : `${name} (export ${exportName})`),
      ...(entrypoints === "" ? ["  no entrypoints"] : [entrypoints]),
      ...(dependencies.length > 0
        ? [`  needs ${escapeControls(dependencies.map(({ key }) => key).join(", "))}`]
        : []),
    ].map((line) => `${line}\n`).join("");
  }).join("\n");
}
