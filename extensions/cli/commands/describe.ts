import { escapeControls, escapeControlsInLines } from "../../../runtime/log/terminal_text.ts";
import type { ServiceExport } from "../../../runtime/channel/port.ts";
import type { CommandIo } from "../command_io.ts";
import { EXIT } from "../view/failure_report.ts";
import { alignColumns, entrypointRows } from "../view/service_listing.ts";
import { type LoadingFlags, loadServices } from "./module_services.ts";

/** Flags of `describe`. */
export type DescribeFlags = LoadingFlags & {
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
  { json, openapi = false, title, apiVersion, ...flags }: DescribeFlags,
  io: CommandIo,
): Promise<number> {
  const loaded = await loadServices(modules, flags, io, openapi);
  if (typeof loaded === "number") return loaded;
  const { services, settings } = loaded;
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
