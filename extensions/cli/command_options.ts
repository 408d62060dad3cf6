/** The options that several commands have in common, and the values that options take. */
import { millisecondsOf, OR_TEXT } from "../../runtime/waiting/duration.ts";
import { PERMISSION_NAMES } from "../../runtime/permissions/permissions.ts";
import type { CommandIo } from "./command_io.ts";
import { type Command, InvalidArgumentError, Option } from "./commander.ts";

/** Adds a command. Its description is the summary as a sentence. */
export function subcommand(program: Command, name: string, summary: string): Command {
  const description = `${summary[0]!.toUpperCase()}${summary.slice(1)}.`;
  return program.command(name).summary(summary).description(description)
    .showHelpAfterError(`See ${program.name()} ${name} --help`);
}

/** Adds the options that set the configuration. */
export function withConfig(command: Command): Command {
  return command
    .option("--config <file>", "YAML file with Nameko's keys (default: enoki.yaml of this folder)")
    .option("--no-config", "read no file, not even enoki.yaml")
    .option("--define <key=value>", "set a key of the configuration; repeatable", append);
}

/** Adds the options of commands that talk to a broker. */
export function withBroker(command: Command): Command {
  return withConfig(command).option(
    "--broker <uri>",
    "amqp://user:password@host/vhost, amqps://…, local: or memory:",
  );
}

/** Adds the option that names extensions. */
export function withExtension(command: Command): Command {
  return command.option(
    "--extension <module>",
    "path or URL of an extension, which gets all rights of this program; repeatable",
    append,
  );
}

function withLogging(command: Command): Command {
  return command
    .option("--log-level <level>", "debug, info, warning or error (default: info)")
    .addOption(
      new Option("--log-format <format>", "how lines look (default: pretty)").choices(["pretty", "json"]),
    );
}

/** Adds the options of commands that serve. */
export function withServing(command: Command): Command {
  return withLogging(withBroker(command))
    .option("--max-workers <n>", "threads that a service may have", positiveInteger)
    .option("--concurrency <n>", "calls that a thread runs at a time", positiveInteger)
    .addOption(
      new Option(
        "--isolation <how>",
        "threads, or a process of its own for each service (default: process, but threads with -A)",
      )
        .choices(["threads", "process"]),
    )
    .option("--processes <n>", "processes that serve, or auto: one for each core", processCount)
    .option("--http <address>", "where to serve HTTP: [host:]port or unix:/path (default: 0.0.0.0:8000)");
}

/** Adds the options of commands that load modules. */
export function withLoading(command: Command): Command {
  return withFetching(withPermissions(command));
}

/** Adds the options of commands that fetch modules. */
export function withFetching(command: Command): Command {
  return command.optionsGroup("Modules by URL:")
    .option("--lock <file>", "check the hashes of modules, and record those of new modules")
    .option("--frozen", "refuse modules that are not in the lock file")
    .option("--reload", "fetch all modules anew instead of using the cache")
    .addOption(new Option("--cached-only", "never fetch").conflicts("reload"))
    .option("--allow-http", "fetch over plain http from other machines, too")
    .option("--import-map <file>", "deno.json or import map for bare names (default: the module's deno.json)")
    .optionsGroup("Options:");
}

/** Adds the options that give permissions to services. */
export function withPermissions(command: Command): Command {
  command.optionsGroup("Permissions of the services (none by default):");
  command.option("-A, --allow-all", "everything");
  for (const name of PERMISSION_NAMES) {
    command.option(`--allow-${name} [list]`, PERMISSION_HELP[name], permissionList);
    // The parser must know the flags that deny, so that the error can say why Enoki has none.
    command.addOption(new Option(`--deny-${name} [list]`).hideHelp());
  }
  return command.optionsGroup("Options:");
}

/** What each permission allows. */
export const PERMISSION_HELP: Readonly<Record<typeof PERMISSION_NAMES[number], string>> = {
  env: "environment variables, such as TZ,HOME",
  ffi: "native libraries",
  import: "hosts to import code from, modules by URL included",
  net: "hosts, such as api.example.com:443",
  read: "files and folders to read",
  run: "programs to run",
  sys: "facts about the system, such as hostname",
  workers: "Workers, in which there is no sandbox inside the process; takes no list",
  write: "files and folders to write",
};

/** Formats the examples of a command, each with its meaning. */
export function examples({ program }: CommandIo, list: readonly (readonly [string, string])[]): string {
  const lines = list.map(([command, meaning]) => `  # ${meaning}\n  ${program} ${command}`);
  return `\nExamples:\n${lines.join("\n")}`;
}

function append(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, text];
}

/** Reads a list with commas, and appends it to the earlier ones. */
export function permissionList(text: string, earlier: readonly string[] = []): readonly string[] {
  const list = text.split(",").filter((item) => item !== "");
  if (list.length === 0) throw new InvalidArgumentError("The list is empty.");
  return [...earlier, ...list];
}

/** Reads an integer of at least 1. */
export function positiveInteger(text: string): number {
  return integerFromOne(text, "It must be an integer, 1 or more.");
}

/** Reads a number of processes, or `auto`. */
function processCount(text: string): number | "auto" {
  return text === "auto" ? text : integerFromOne(text, "It must be an integer, 1 or more, or auto.");
}

function integerFromOne(text: string, demand: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError(demand);
  return value;
}

/** Reads a duration, whose bare numbers are seconds, and returns its seconds. */
export function seconds(text: string): number {
  const bare = Number(text);
  const value = text.trim() !== "" && !Number.isNaN(bare) ? bare : millisecondsOf(text) / 1_000;
  if (!(value > 0 && value <= 1e6)) {
    throw new InvalidArgumentError(`It must be a number of seconds above 0, ${OR_TEXT}.`);
  }
  return value;
}
