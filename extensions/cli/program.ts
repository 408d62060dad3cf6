/**
 * Defines the commands and their options, as the user sees them. The code of a command loads when the command
 * runs.
 */
import type { FieldTable, FieldValue } from "../../runtime/message/transport.ts";
import { type CallTarget, parseCallTarget, parseValue } from "./flags/call_arguments.ts";
import type { CommandIo } from "./command_io.ts";
import {
  examples,
  PERMISSION_HELP,
  permissionList,
  positiveInteger,
  seconds,
  subcommand,
  withBroker,
  withExtension,
  withFetching,
  withLoading,
  withServing,
} from "./command_options.ts";
import { createCommandLine, parseCommandLine } from "./command_line.ts";
import { Argument, type Command, InvalidArgumentError, Option } from "./commander.ts";
import type { ConfigFlags } from "./commands/config.ts";
import type { DeadAction } from "./commands/dead.ts";
import { addDescribingCommands } from "./describing_commands.ts";
import type { NewFlags } from "./commands/new.ts";
import { TEMPLATE_NAMES } from "./create/templates.ts";
import { COMPLETE_WORD, SHELLS } from "./completion/scripts.ts";
import { addLiveCommands } from "./live_commands.ts";
import { addOperatingCommands } from "./operating_commands.ts";
import { addSqlCommands } from "./sql_commands.ts";
import { EXIT } from "./view/failure_report.ts";

/** Parses a command line, runs its command, and returns the exit status. */
export async function parseAndRun(
  argv: readonly string[],
  io: CommandIo,
): Promise<number> {
  let status: number = EXIT.fine;
  const program = createCommandLine(io)
    .description("Serves and calls microservices, over RabbitMQ or without a broker.")
    .usage("<command> [options]")
    .addHelpText(
      "after",
      examples(io, [
        ["run ./service.ts", "serve a module's services"],
        ["call greeting_service.hello Ada", "call one of them"],
        ["run --help", "more about a command"],
      ]),
    );

  addNewCommand(program, io, async (name, flags) => {
    const { newCommand } = await import("./commands/new.ts");
    status = await newCommand(name, flags, io);
  });

  withLoading(withExtension(withServing(subcommand(program, "run", "serve the services of modules"))))
    .argument("<module...>", "path or URL of a module; add :name for one of its services")
    .option("--watch", "reload services when their files change")
    .addHelpText(
      "after",
      examples(io, [
        ["run ./orders.ts", "serve on RabbitMQ, or without one on this machine"],
        ["run ./shop.ts:orders ./mail.ts", "one service of a module, all of another"],
        ["run --allow-net=api.example.com --allow-env=TZ ./orders.ts", "a service with few permissions"],
        ["run --lock services.lock --frozen https://code.example/orders.ts", "only code in the lock file"],
      ]),
    )
    .action(async (modules, flags) => {
      const { runCommand } = await import("./commands/run.ts");
      status = await runCommand(modules, flags, io);
    });

  withExtension(withBroker(subcommand(program, "call", "call a method and print its result as JSON")))
    .argument("<service.method>", "what to call", callTarget)
    .argument("[arguments...]", "JSON, or else plain text; key=value is a keyword argument")
    .option("--timeout <seconds>", "how long to wait for the answer (default: 30)", seconds)
    .option("--header <key=value>", "context data to send along; repeatable", header)
    .option("--log-level <level>", "debug, info, warning or error (default: warning)")
    .addHelpText(
      "after",
      examples(io, [
        ["call greeting_service.hello Ada", "one text"],
        [`call orders.place '{"sku": 7}' express=true`, "an object, and a keyword argument"],
        ["call --timeout 2 --header language=en orders.list", "context data, and a shorter wait"],
      ]) + "\nExit status: 0 fine, 1 the method failed, 2 usage, 3 no broker, no such service or no answer.",
    )
    .action(async (target, words, flags) => {
      const { callCommand } = await import("./commands/call.ts");
      status = await callCommand(target, words, flags, io);
    });

  withExtension(withBroker(subcommand(program, "emit", "dispatch an event in the name of a service")))
    .argument("<source-service>", "name of the service that the event comes from")
    .argument("<event>", "type of the event")
    .argument("[payload]", "JSON, or else plain text (default: null)")
    .option("--header <key=value>", "header to send along; repeatable", header)
    .option("--mandatory", "fail if no handler has a queue for it")
    .option("--timeout <seconds>", "how long to wait for the broker's confirm (default: 30)", seconds)
    .option("--log-level <level>", "debug, info, warning or error (default: warning)")
    .addHelpText(
      "after",
      examples(io, [
        [`emit orders placed '{"id": 7}'`, "what the handlers of event placed get"],
        ["emit --mandatory orders cancelled 7", "fail if no service ever handled it"],
      ]) + "\nExit status: 0 fine, 2 usage, 3 no broker, no such exchange, no queue or no confirm.",
    )
    .action(async (source, type, payload, flags) => {
      const { emitCommand } = await import("./commands/emit.ts");
      status = await emitCommand(source, type, payload, flags, io);
    });

  withExtension(withBroker(subcommand(program, "shell", "call services from a prompt, or from a script")))
    .option("-e, --eval <script>", "run a script instead of the lines of a user or of stdin")
    .addOption(
      new Option("--interface <name>", "read lines without editing, history and colors").choices(["plain"]),
    )
    .option("--timeout <seconds>", "how long a call waits for its answer (default: 30)", seconds)
    .option("--header <key=value>", "context data that calls carry; repeatable", header)
    .option("--log-level <level>", "debug, info, warning or error (default: info)")
    .addHelpText(
      "after",
      examples(io, [
        ["shell", "a prompt, with n.rpc.<service>.<method>(…) and more; see .help there"],
        [`shell -e 'n.rpc.greeting_service.hello("Ada")'`, "one call; its value is printed"],
        ["shell < script.js", "a script, with top-level await"],
      ]) +
        "\nExit status of scripts: 0 fine, 1 a method or the script failed, 2 usage or syntax, 3 no broker, " +
        "no such service or no answer.",
    )
    .action(async (flags) => {
      const { shellCommand } = await import("./commands/shell.ts");
      status = await shellCommand(flags, io);
    });

  addLiveCommands(program, io, (ended) => void (status = ended));

  addDeadCommands(program, io, async (action, queue, flags) => {
    const { deadCommand } = await import("./commands/dead.ts");
    status = await deadCommand(action, queue, flags, io);
  });

  addSqlCommands(program, io, (ended) => void (status = ended));

  addDescribingCommands(program, io, (ended) => void (status = ended));

  addOperatingCommands(program, io, argv, (ended) => void (status = ended));

  withExtension(withBroker(subcommand(program, "config", "show the configuration, with its secrets masked")))
    .option("--json", "print it as JSON")
    .option("--all", "every setting that there is, with its value, its default and where the value is from")
    .addHelpText(
      "after",
      examples(io, [
        ["config --config app.yaml", "a file with its variables filled in"],
        ["config --all", "all settings, set or not"],
      ]),
    )
    .action(async (flags) => {
      const { configCommand } = await import("./commands/config.ts");
      status = await configCommand(flags, io);
    });

  withFetching(
    withExtension(subcommand(program, "compile", "make one binary of a service, or of this program")),
  )
    .argument(
      "[module...]",
      "path or URL of a module; add :name for one of its services (default: modules given to run)",
    )
    .option("-o, --output <file>", "where to write the binary (default: the first module's name, or enoki)")
    .option(
      "--config <file>",
      "YAML file for the keys that are not set where the binary runs (default: enoki.yaml of this folder)",
    )
    .option("--no-config", "put no file into the binary, not even enoki.yaml")
    .option("--target <target>", "platform of the binary, such as aarch64-unknown-linux-gnu")
    .option(
      "--with <parts>",
      "parts of Enoki with large packages, such as sql, beside those that services use",
      permissionList,
    )
    .option("--otel", "export to OpenTelemetry where the binary runs")
    .option("--allow-import [list]", PERMISSION_HELP.import, permissionList)
    .addHelpText(
      "after",
      examples(io, [
        ["compile ./orders.ts -o orders", "a program that serves orders"],
        ["compile -o enoki", "this program"],
        ["compile --extension ./nats.ts -o enoki", "this program, with an extension"],
      ]),
    )
    .action(async (modules, flags) => {
      const { compileCommand } = await import("./compile/compile.ts");
      status = await compileCommand(modules, flags, io);
    });

  subcommand(program, "completions", "print the script by which a shell completes this command line")
    .addArgument(new Argument("<shell>", "name of the shell").choices(SHELLS))
    .addHelpText(
      "after",
      examples(io, [["completions zsh", "for ~/.zshrc: source <(enoki completions zsh)"]]),
    )
    .action(async (shell) => {
      const { completionsCommand } = await import("./commands/completions.ts");
      status = completionsCommand(shell, io);
    });
  if (argv[0] === COMPLETE_WORD) {
    const { completeCommand } = await import("./commands/completions.ts");
    return await completeCommand(program, argv.slice(1), io);
  }

  return await parseCommandLine(program, argv) ?? status;
}

/** Adds the command `new`. */
function addNewCommand(
  program: Command,
  io: CommandIo,
  run: (name: string | undefined, flags: NewFlags) => Promise<void>,
): void {
  subcommand(program, "new", "make a project with a service, a test and a configuration")
    .argument("[name]", "name of the project, which is its folder, too (default: asked for)")
    .addOption(
      new Option("--template <name>", "what its services do (default: rpc)").choices(TEMPLATE_NAMES),
    )
    .option("--from <url>", "folder with Enoki's mod.ts (default: where this program is from)")
    .addHelpText(
      "after",
      examples(io, [
        ["new my-service", "a service with one method"],
        ["new --template full shop", "HTTP, RPC, events and a timer"],
      ]),
    )
    .action((name, flags) => run(name, flags));
}

/** Adds the commands `dead list`, `show`, `replay` and `purge`. */
function addDeadCommands(
  program: Command,
  io: CommandIo,
  run: (action: DeadAction, queue: string | undefined, flags: ConfigFlags) => Promise<void>,
): void {
  const dead = subcommand(program, "dead", "manage messages that could not be handled")
    .usage("list|show|replay|purge [options] [queue]")
    .helpCommand(false)
    .addHelpText(
      "after",
      examples(io, [
        ["dead list", "which queues have dead messages"],
        ["dead list jobs", "why messages of queue jobs are dead"],
        ["dead show jobs 2", "the second of them, with its body"],
        ["dead replay jobs", "send them all to queue jobs again"],
        ["dead purge --yes jobs", "delete them"],
      ]),
    );
  const deadSubcommand = (name: string, summary: string, queue = "<queue>", rest = "") =>
    withExtension(withBroker(subcommand(dead, name, summary)))
      .argument(queue, `name of the queue that they died in${rest}`)
      .showHelpAfterError(`See ${io.program} dead ${name} --help`);
  deadSubcommand(
    "list",
    "print one line about each message, or about each queue",
    "[queue]",
    " (default: list the queues)",
  )
    .option("--json", "print them as JSON")
    .action((queue, { json = false, ...flags }) => run({ name: "list", json }, queue, flags));
  deadSubcommand("show", "print one message with its properties and its body")
    .argument("<n>", "its number in the list", positiveInteger)
    .action((queue, number, flags) => run({ name: "show", number }, queue, flags));
  deadSubcommand("replay", "send one message, or all, to the queue again, unchanged")
    .argument("[n]", "its number in the list (default: all)", positiveInteger)
    .option("--timeout <seconds>", "how long to wait for the broker to confirm each (default: 30)", seconds)
    .action((queue, number, { timeout, ...flags }) =>
      run(
        {
          name: "replay",
          ...(number !== undefined && { number }),
          ...(timeout !== undefined && { timeout }),
        },
        queue,
        flags,
      )
    );
  deadSubcommand("purge", "delete all messages")
    .option("--yes", "confirm the deletion")
    .action((queue, { yes = false, ...flags }) => run({ name: "purge", yes }, queue, flags));
}

function header(text: string, earlier: FieldTable = {}): FieldTable {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError("It must be KEY=VALUE.");
  return { ...earlier, [key]: parseValue(value) as FieldValue };
}

function callTarget(text: string): CallTarget {
  const target = parseCallTarget(text);
  if (target === undefined) throw new InvalidArgumentError("It must be <service>.<method>.");
  return target;
}
