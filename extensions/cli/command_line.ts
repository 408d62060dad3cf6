/** How this program reads its command line, whatever commands it has. */
import type { CommandIo } from "./command_io.ts";
import { Command, CommanderError } from "./commander.ts";
import { moveBarePermissionFlags } from "./flags/permission_flags.ts";
import { EXIT } from "./view/failure_report.ts";

/** Makes a command line without commands and options. */
export function createCommandLine(io: CommandIo): Command {
  return new Command(io.program)
    .version(io.version, "--version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: io.writeResult,
      writeErr: io.writeMessage,
      outputError: (text, write) => write(sentence(text)),
      getOutHelpWidth: () => io.columns,
      getErrHelpWidth: () => io.columns,
      getOutHasColors: () => io.colors,
      getErrHasColors: () => io.colors,
    })
    .configureHelp({
      optionTerm: ({ flags }) => flags.replace(/^(--allow-\S+) \[(.*)\]$/, "$1[=$2]"),
      subcommandTerm: (command) => command.name(),
      showGlobalOptions: false,
    })
    .showHelpAfterError(`See ${io.program} --help`);
}

/**
 * Parses a command line and runs its command.
 *
 * @returns The exit status if it was the end, as with `--help` or a wrong option; undefined if a command has run.
 */
export async function parseCommandLine(
  program: Command,
  argv: readonly string[],
): Promise<number | undefined> {
  try {
    await program.parseAsync(moveBarePermissionFlags(argv), { from: "user" });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.fine : EXIT.usage;
  }
}

/** Turns Commander's text, such as `error: unknown option '--x'\n(Did you mean --y?)`, into sentences. */
function sentence(text: string): string {
  return invalidValue(text)
    .replace(/^error: (.)/, (_, first: string) => first.toUpperCase())
    .replace(/\n\(Did you mean (.*)\?\)/, ". Did you mean $1?");
}

const INVALID_VALUE = /^error: (?:option '(?:-\S, )?([^\s']+)(?: [^']*)?' argument|command-argument value) '/;

/** Shortens `error: option '--x <n>' argument '0' is invalid. It must be 1 or more.`; leaves other texts. */
function invalidValue(text: string): string {
  const [head = "", option = "argument"] = INVALID_VALUE.exec(text) ?? [];
  const end = text.lastIndexOf("' is invalid");
  const reason = text.indexOf(". ", end) + ". ".length;
  const last = text.lastIndexOf(".");
  if (head === "" || end < head.length || reason < end || last < reason) return text;
  const state = `${text[reason]!.toLowerCase()}${text.slice(reason + 1, last)}${text.slice(last + 1)}`;
  return `error: cannot use ${option} ${text.slice(head.length, end)}: ${state}`;
}
