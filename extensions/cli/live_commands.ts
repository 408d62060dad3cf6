/** The commands that ask the processes that serve. Their code loads when they run. */
import type { CommandIo } from "./command_io.ts";
import { examples, seconds, subcommand, withBroker, withExtension } from "./command_options.ts";
import type { Command } from "./commander.ts";

/** Adds `ps` and `top`. */
export function addLiveCommands(program: Command, io: CommandIo, end: (status: number) => void): void {
  withExtension(withBroker(subcommand(program, "ps", "list the services that run, with their processes")))
    .argument("[service]", "name of the only service to list (default: all)")
    .option("--json", "print them as JSON")
    .option("--timeout <seconds>", "how long to wait for answers at most (default: 1.5)", seconds)
    .addHelpText(
      "after",
      examples(io, [
        ["ps", "what runs, and how busy it is"],
        ["ps --json orders", "the processes of one service, for programs"],
      ]) + "\nExit status: 0 fine, also if nothing runs, 2 usage, 3 no broker.",
    )
    .action(async (service, flags) => {
      const { psCommand } = await import("./commands/ps.ts");
      end(await psCommand(service, flags, io));
    });

  withExtension(withBroker(subcommand(program, "top", "show the services that run, each second anew")))
    .argument("[service]", "name of the only service to show (default: all)")
    .addHelpText("after", examples(io, [["top", "until q or Ctrl-C; other keys sort"]]))
    .action(async (service, flags) => {
      const { topCommand } = await import("./commands/top.ts");
      end(await topCommand(service, flags, io));
    });
}
