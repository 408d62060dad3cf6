/** The commands that ask the processes that serve. Their code loads when they run. */
import type { CommandIo } from "./command_io.ts";
import { examples, seconds, subcommand, withBroker, withExtension } from "./command_options.ts";
import type { InspectionSubject } from "../control/inspection.ts";
import type { ConfigFlags } from "./commands/config.ts";
import type { QueuesAction } from "./commands/queues.ts";
import { LOG_LEVELS } from "../../runtime/log/log.ts";
import { type Command, InvalidArgumentError, Option } from "./commander.ts";

/** Adds `ps`, `top`, `trace`, `tail`, `profile`, `heap` and `queues`. */
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

  withExtension(withBroker(subcommand(program, "trace", "show the calls of a trace as a waterfall")))
    .argument("<id>", "id of the trace, as the log shows it, or its first digits (6 or more)", traceStart)
    .option("--json", "print the calls as JSON")
    .option("--timeout <seconds>", "how long to wait for answers at most (default: 1.5)", seconds)
    .addHelpText(
      "after",
      examples(io, [["trace 4bf92f", "who called whom, for how long, and what failed"]]) +
        "\nExit status: 0 fine, also if no process remembers it, 2 usage, 3 no broker.",
    )
    .action(async (trace, flags) => {
      const { traceCommand } = await import("./commands/trace.ts");
      end(await traceCommand(trace, flags, io));
    });

  withExtension(withBroker(subcommand(program, "tail", "follow the log of the processes that serve")))
    .argument("[service]", "name of the only service to follow (default: all)")
    .option("--trace <id>", "follow one trace: its id, or its first digits", traceStart)
    .addOption(
      new Option("--level <level>", "least severe level (default: info)").choices(LOG_LEVELS),
    )
    .option("--json", "print each record as a line of JSON")
    .addHelpText(
      "after",
      examples(io, [
        ["tail", "what all processes log, until Ctrl-C"],
        ["tail --level warning orders", "warnings and errors of one service"],
        ["tail --trace 4bf92f", "the lines of one request, wherever they are"],
      ]),
    )
    .action(async (service, flags) => {
      const { tailCommand } = await import("./commands/tail.ts");
      end(await tailCommand(service, flags, io));
    });

  addInspectionCommands(program, io, end);
  addQueuesCommands(program, io, end);
}

/** Adds `profile` and `heap`. */
function addInspectionCommands(program: Command, io: CommandIo, end: (status: number) => void): void {
  const inspection = (what: InspectionSubject, summary: string, ending: string) =>
    withExtension(withBroker(subcommand(program, what, summary)))
      .argument("<service>", "name of the service")
      .option("--thread <name>", "name of the thread, such as orders#1 (default: the busiest)")
      .option("--instance <id>", "the process, as ps names it (default: the busiest)")
      .option("-o, --output <file>", `where to write it (default: the thread and the time, ${ending})`)
      .action(async (service, flags) => {
        const { inspectCommand } = await import("./commands/inspect.ts");
        end(await inspectCommand(what, service, flags, io));
      });
  const status = "\nThe process needs control: { manage: true } in its configuration.\n" +
    "Exit status: 0 fine, 1 the process refuses or fails, 2 usage, 3 no broker or no such process.";
  inspection("profile", "take a CPU profile of a thread of a service that runs", ".cpuprofile")
    .option("--seconds <n>", "how long (default: 10)", seconds)
    .addHelpText("after", examples(io, [["profile orders", "which functions take the time"]]) + status);
  inspection("heap", "take a heap snapshot of a thread of a service that runs", ".heapsnapshot")
    .addHelpText(
      "after",
      examples(io, [["heap orders -o a.heapsnapshot", "what holds the memory"]]) + status,
    );
}

/** Reads the id of a trace, its first digits, or a whole `traceparent`. */
function traceStart(text: string): string {
  const lower = text.toLowerCase();
  const [, id = lower] = /^[\da-f]{2}-([\da-f]{32})-/.exec(lower) ?? [];
  if (!/^[\da-f]{6,32}$/.test(id)) throw new InvalidArgumentError("It must be 6 to 32 hexadecimal digits.");
  return id;
}

function addQueuesCommands(program: Command, io: CommandIo, end: (status: number) => void): void {
  const run = async (action: QueuesAction, flags: ConfigFlags) => {
    const { queuesCommand } = await import("./commands/queues.ts");
    end(await queuesCommand(action, flags, io));
  };
  const queues = subcommand(program, "queues", "list queues with their messages and who serves them")
    .usage("[list|purge|delete] [options] [queue]")
    .helpCommand(false)
    .addHelpText(
      "after",
      examples(io, [
        ["queues", "what waits where, and which queues nobody serves"],
        ["queues --json", "the same for programs"],
        ["queues purge --yes jobs", "delete the messages that wait in a queue"],
        ["queues delete --yes evt-old-event--gone.method", "delete a queue that nobody serves any more"],
      ]),
    );
  withExtension(withBroker(queues.command("list", { isDefault: true })))
    .summary("print one line about each queue (default)")
    .option("--json", "print them as JSON")
    .action(({ json = false, ...flags }) => run({ name: "list", json }, flags));
  for (
    const [name, summary] of [
      ["purge", "delete the messages that wait in a queue"],
      ["delete", "delete a queue with its messages"],
    ] as const
  ) {
    withExtension(withBroker(subcommand(queues, name, summary)))
      .argument("<queue>", "name of the queue")
      .option("--yes", "confirm the deletion")
      .showHelpAfterError(`See ${io.program} queues ${name} --help`)
      .action((queue, { yes = false, ...flags }) => run({ name, queue, yes }, flags));
  }
}
