/** The commands that tell what services offer. Their code loads when they run. */
import type { CommandIo } from "./command_io.ts";
import { examples, subcommand, withBroker, withExtension, withLoading } from "./command_options.ts";
import { type Command, Option } from "./commander.ts";

/** Adds `describe` and `client`. */
export function addDescribingCommands(program: Command, io: CommandIo, end: (status: number) => void): void {
  withLoading(
    withExtension(
      withBroker(
        subcommand(program, "describe", "show what modules export, or what services that run offer"),
      ),
    ),
  )
    .argument("<module|service...>", "path or URL of a module, :name for one service of it; or what runs")
    .option("--json", "print the manifests as JSON")
    .addOption(new Option("--openapi", "print the HTTP entrypoints as OpenAPI 3.1").conflicts("json"))
    .addOption(
      new Option("--asyncapi", "print RPC, events and messages as AsyncAPI 3.0").conflicts([
        "json",
        "openapi",
      ]),
    )
    .option("--title <text>", "title of the document (default: the services' names)")
    .option("--api-version <text>", "version of the document (default: 0.0.0)")
    .addHelpText(
      "after",
      examples(io, [
        ["describe ./orders.ts", "its services, entrypoints and dependencies, without a broker"],
        ["describe orders", "the service of that name that runs, and where"],
        ["describe --openapi --title Shop ./orders.ts ./mail.ts > openapi.json", "their HTTP API"],
        ["describe --asyncapi orders > asyncapi.json", "what a service that runs takes from the broker"],
      ]),
    )
    .action(async (modules, flags) => {
      const { describeCommand } = await import("./commands/describe.ts");
      end(await describeCommand(modules, flags, io));
    });

  withLoading(
    withExtension(
      withBroker(
        subcommand(program, "client", "write the contract of a service, from which clients have their types"),
      ),
    ),
  )
    .argument("<module|service>", "what runs; or path or URL of a module, :name for one service of it")
    .option("-o, --output <file>", "module to write (default: the standard output)")
    .option("--force", "overwrite a file that Enoki has not generated")
    .option("--from <specifier>", "what the module imports Enoki by (default: @enoki/enoki)")
    .addHelpText(
      "after",
      examples(io, [
        ["client payments -o payments.ts", "of the service that runs: methods, types and descriptions"],
        ["client ./shop.ts:orders", "of a service in a module, without a broker"],
      ]) +
        "\nExit status: 0 fine, 1 the process does not describe it, 2 usage, 3 no broker or no such service.",
    )
    .action(async (target, flags) => {
      const { clientCommand } = await import("./commands/client.ts");
      end(await clientCommand(target, flags, io));
    });
}
