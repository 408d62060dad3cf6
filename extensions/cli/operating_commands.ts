/** The commands that prepare what a service runs with. Their code loads when they run. */
import { type CallTarget, parseCallTarget } from "./flags/call_arguments.ts";
import { splitWords } from "./flags/words.ts";
import type { CommandIo } from "./command_io.ts";
import {
  examples,
  seconds,
  subcommand,
  withExtension,
  withFetching,
  withLoading,
  withServing,
} from "./command_options.ts";
import type { RecordedCall } from "./commands/recorded_run.ts";
import { type Command, InvalidArgumentError } from "./commander.ts";

/**
 * Adds `permissions` and `doctor`.
 *
 * @param argv The command line.
 */
export function addOperatingCommands(
  program: Command,
  io: CommandIo,
  argv: readonly string[],
  end: (status: number) => void,
): void {
  addDoctorCommand(program, io, end);
  withFetching(withExtension(withServing(
    subcommand(program, "permissions", "record what services ask for, and print the permissions they need"),
  )))
    .argument("<module...>", "path or URL of a module; add :name for one of its services")
    .option(
      "--for <time>",
      "how long to serve, such as 10s (default: until Ctrl-C)",
      (text) => seconds(text) * 1_000,
    )
    .option("--call <call>", "call a method, such as 'orders.place 7'; repeatable", recordedCall)
    .addHelpText(
      "after",
      examples(io, [
        ["permissions ./orders.ts", "serve with all permissions until Ctrl-C, then print what was used"],
        ["permissions --for 1m ./shop.ts:orders", "what one service of a module uses in a minute"],
        [`permissions --call 'orders.place {"sku": 7}' ./orders.ts`, "what its start and one call use"],
      ]) +
        "\nThe services run with all permissions, and take messages as under run. What they do not use meanwhile\n" +
        "is not in the list. Exit status: 0 fine, 2 usage, 3 no broker.",
    )
    .action(async (modules, flags) => {
      const { permissionsCommand } = await import("./commands/permissions.ts");
      end(await permissionsCommand(modules, flags, argv, io));
    });
}

/** Adds `doctor`. */
function addDoctorCommand(program: Command, io: CommandIo, end: (status: number) => void): void {
  withLoading(withExtension(withServing(
    subcommand(program, "doctor", "look at what services need before they run, and say what is wrong"),
  )))
    .argument("[module...]", "path or URL of a module that is to be served")
    .option("--json", "print the findings as JSON")
    .addHelpText(
      "after",
      examples(io, [
        ["doctor", "Deno, the machine, the broker and the ports"],
        ["doctor --config app.yaml ./orders.ts", "all that this service would be run with"],
      ]) + "\nIt changes nothing. Exit status: 0 no problem, 1 a problem, 2 usage.",
    )
    .action(async (modules, flags) => {
      const { doctorCommand } = await import("./commands/doctor.ts");
      end(await doctorCommand(modules, flags, io));
    });
}

function recordedCall(text: string, earlier: readonly RecordedCall[] = []): readonly RecordedCall[] {
  const [name = "", ...words] = splitWords(text);
  const target: CallTarget | undefined = parseCallTarget(name);
  if (target === undefined) {
    throw new InvalidArgumentError("It must be <service>.<method> with its arguments.");
  }
  return [...earlier, { target, words }];
}
