import { escapeControls, escapeControlsInLines } from "../../../runtime/log/terminal_text.ts";
import type { ServiceExport } from "../../../runtime/channel/port.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import type { Manifest } from "../../../runtime/service/manifest.ts";
import { Settings } from "../../settings.ts";
import type { CommandIo } from "../command_io.ts";
import { EXIT } from "../view/failure_report.ts";
import { alignColumns, entrypointRows } from "../view/service_listing.ts";
import { type LoadingFlags, loadServices } from "./module_services.ts";

/** Flags of `describe`. */
export type DescribeFlags = LoadingFlags & {
  readonly json?: boolean;
  readonly openapi?: boolean;
  readonly asyncapi?: boolean;
  /** Title of the document. */
  readonly title?: string;
  /** Version of the document. */
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
  if (names.length > 0 && modules.length > 0) {
    const [name, module] = [names[0]!, modules[0]!].map(escapeControls);
    io.writeMessage(
      `Cannot describe "${name}", which runs, together with module ${module}. Do one at a time\n`,
    );
    return EXIT.usage;
  }
  if (flags.openapi || flags.asyncapi) {
    return names.length > 0
      ? await documentLive(names, flags, io)
      : await documentModules(modules, flags, io);
  }
  if (names.length > 0) return await describeLiveCommand(names, flags, io);
  const loaded = await loadServices(modules, flags, io, false);
  if (typeof loaded === "number") return loaded;
  const { services } = loaded;
  io.writeResult(flags.json ? formatJson(services) : formatTable(services));
  return EXIT.fine;
}

async function documentModules(
  modules: readonly string[],
  flags: DescribeFlags,
  io: CommandIo,
): Promise<number> {
  const loaded = await loadServices(modules, flags, io, true);
  if (typeof loaded === "number") return loaded;
  const { services, settings } = loaded;
  await printDocument(services.map(({ manifest }) => manifest), settings, flags, io);
  return EXIT.fine;
}

async function documentLive(names: readonly string[], flags: DescribeFlags, io: CommandIo): Promise<number> {
  const { describedLive } = await import("./describe_live.ts");
  const described = await describedLive(names, flags, io);
  if (typeof described === "number") return described;
  const { manifests, config } = described;
  // Of several versions of a service, the one of most processes comes first.
  const chosen = [...Map.groupBy(manifests, ({ name }) => name).values()].map(([first]) => first!);
  await printDocument(chosen, await Settings.read(config), flags, io);
  return EXIT.fine;
}

async function printDocument(
  manifests: readonly Manifest[],
  settings: Settings,
  { openapi = false, title, apiVersion }: DescribeFlags,
  io: CommandIo,
): Promise<void> {
  const { httpSettings } = await import("../../http/settings.ts");
  const known = settings.of(httpSettings);
  const facts = openapi ? known.openapi : known.asyncapi;
  const options = {
    title: title ?? facts?.title,
    version: apiVersion ?? facts?.version,
    servers: facts?.servers,
  };
  let document: PlainRecord;
  if (openapi) {
    const { openApiDocument } = await import("../../http/openapi/document.ts");
    const onOmission = (message: string) => io.writeMessage(`${escapeControls(message)}\n`);
    document = openApiDocument(manifests, { ...options, onOmission });
  } else {
    const { describeMessages } = await import("../../message_document.ts");
    document = describeMessages(manifests, settings, options);
  }
  io.writeResult(`${escapeControlsInLines(JSON.stringify(document, null, 2))}\n`);
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
