import { escapeControls, escapeControlsInLines } from "../../../runtime/log/terminal_text.ts";
import { ConfigurationError } from "../../../runtime/message/errors.ts";
import type * as contractsHalf from "../../contracts/host.ts";
import type { DescribedService } from "../../contracts/contract_module.ts";
import type { CommandIo } from "../command_io.ts";
import { EXIT } from "../view/failure_report.ts";
import { describedLive, isServiceName } from "./describe_live.ts";
import { type LoadingFlags, loadServices } from "./module_services.ts";
import { loadPart } from "../../optional_halves.ts";

/** Flags of `client`. */
export type ClientFlags = LoadingFlags & {
  /** Path of the module to write. */
  readonly output?: string;
  readonly force?: boolean;
  /** What the module imports Enoki by. */
  readonly from?: string;
};

/** Writes the contract of a service that runs, or of one that a module exports. */
export async function clientCommand(
  target: string,
  { output, force = false, from, ...flags }: ClientFlags,
  io: CommandIo,
): Promise<number> {
  const { contractModule, GENERATED_MARK } = await loadPart<typeof contractsHalf>(
    "contracts",
    "write a contract",
    "contracts",
  );
  if (output !== undefined && !force) await requireGenerated(output, GENERATED_MARK);
  const service = await isServiceName(target)
    ? await liveService(target, flags, io)
    : await moduleService(target, flags, io);
  if (typeof service === "number") return service;
  const source = await contractOf(service, contractModule, from);
  if (output === undefined) io.writeResult(escapeControlsInLines(source));
  else {
    const isChanged = await write(output, source);
    io.writeMessage(`${isChanged ? "Wrote" : "Nothing has changed in"} ${escapeControls(output)}\n`);
  }
  return EXIT.fine;
}

async function contractOf(
  service: DescribedService,
  write: typeof contractsHalf.contractModule,
  from: string | undefined,
): Promise<string> {
  try {
    return await write(service, from === undefined ? {} : { from });
  } catch (error) {
    if (!(error instanceof TypeError && error.message.startsWith("Cannot "))) throw error;
    throw new ConfigurationError(error.message, { cause: error });
  }
}

/** Asks what runs. Where several versions of the service do, that of most processes counts. */
async function liveService(
  name: string,
  flags: LoadingFlags,
  io: CommandIo,
): Promise<DescribedService | number> {
  const described = await describedLive([name], flags, io);
  if (typeof described === "number") return described;
  const { manifests } = described;
  const [service, ...others] = manifests;
  if (others.length > 0) {
    io.writeMessage(
      `${escapeControls(name)} runs in ${manifests.length} versions: this is the one of most processes\n`,
    );
  }
  const methods = service!.entrypoints.filter(({ kind }) => kind === "rpc");
  if (methods.length > 0 && methods.every(({ details }) => details === undefined)) {
    io.writeMessage(
      `${escapeControls(name)} runs on a version of Enoki that tells no types, so that they are unknown\n`,
    );
  }
  return service!;
}

async function moduleService(
  module: string,
  flags: LoadingFlags,
  io: CommandIo,
): Promise<DescribedService | number> {
  const loaded = await loadServices([module], flags, io, true);
  if (typeof loaded === "number") return loaded;
  const [first, ...others] = loaded.services;
  if (others.length === 0) return first!.manifest;
  const names = loaded.services.map(({ manifest: { name } }) => name);
  throw new ConfigurationError(
    `Cannot write one contract of ${module}: it exports ${names.join(", ")}. Name one, as in ${module}:${
      names[0]
    }`,
  );
}

/** @throws {ConfigurationError} If there is something else in the place of the module. */
async function requireGenerated(path: string, mark: string): Promise<void> {
  const text = await read(path);
  if (text === undefined || text.startsWith(mark)) return;
  throw new ConfigurationError(
    `Cannot write ${path}: the file is there, and Enoki has not generated it. Name another one, or pass --force`,
  );
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw refusal(path, error);
  }
}

/** Writes a file, unless it has that text already. Returns whether it has changed. */
async function write(path: string, text: string): Promise<boolean> {
  if (await read(path) === text) return false;
  try {
    await Deno.writeTextFile(path, text);
    return true;
  } catch (error) {
    throw refusal(path, error);
  }
}

function refusal(path: string, error: unknown): ConfigurationError {
  const reason = error instanceof Deno.errors.NotFound ? "there is no such folder" : (error as Error).message;
  return new ConfigurationError(`Cannot write ${path}: ${reason}`, { cause: error });
}
