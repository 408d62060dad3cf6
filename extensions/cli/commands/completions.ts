import { within } from "../../../runtime/waiting/abort.ts";
import { escapeControls } from "../../../runtime/log/terminal_text.ts";
import type { Command } from "../commander.ts";
import type { CommandIo } from "../command_io.ts";
import { candidates, type CompletedService } from "../completion/candidates.ts";
import { completionScript, type Shell } from "../completion/scripts.ts";
import { EXIT } from "../view/failure_report.ts";
import type { ConfigFlags } from "./config.ts";
import { beginMessaging } from "./messaging.ts";

/** Prints the script by which a shell completes commands, options, services and methods. */
export function completionsCommand(shell: Shell, io: CommandIo): number {
  io.writeResult(completionScript(shell));
  return EXIT.fine;
}

/** Milliseconds that a user waits for the names of what runs. */
const PATIENCE = 1_500;

/** Prints what could stand in place of the last word: one candidate in a line, with its meaning behind a tab. */
export async function completeCommand(
  program: Command,
  words: readonly string[],
  io: CommandIo,
): Promise<number> {
  const found = await candidates(program, words, (words) => liveNames(words, io));
  const lines = found.map(({ word, meaning }) => meaning === undefined ? word : `${word}\t${meaning}`);
  // Names come from other processes, and the shell types what it reads.
  io.writeResult(lines.map((line) => `${line.split("\t").map(escapeControls).join("\t")}\n`).join(""));
  return EXIT.fine;
}

/** Names the services that run, as far as they answer soon. A broker that is away is no error of who types. */
async function liveNames(words: readonly string[], io: CommandIo): Promise<readonly CompletedService[]> {
  const giveUp = new AbortController();
  let services: readonly CompletedService[] = [];
  const asking = (async () => {
    const quiet: CommandIo = { ...io, writeMessage: () => {} };
    const { broker, ...setup } = flagsIn(words);
    const config = await beginMessaging({ ...setup, logLevel: "error" }, quiet);
    const { openControl } = await import("../../control_connection.ts");
    const { liveServices } = await import("../../control/live.ts");
    const { signal } = giveUp;
    await using control = await openControl({ config, signal, ...(broker !== undefined && { broker }) });
    services = await liveServices({ transport: control.transport, signal });
  })().catch(() => {});
  if (!await within(PATIENCE, asking)) giveUp.abort();
  await asking;
  return services;
}

/** Picks the flags that say where services run. */
function flagsIn(words: readonly string[]): ConfigFlags {
  const valuesOf = (flag: string) =>
    words.flatMap((word, index) =>
      word === flag && index + 1 < words.length - 1
        ? [words[index + 1]!]
        : word.startsWith(`${flag}=`)
        ? [word.slice(flag.length + 1)]
        : []
    );
  const [config] = valuesOf("--config");
  const [broker] = valuesOf("--broker");
  const [define, extension] = [valuesOf("--define"), valuesOf("--extension")];
  const file = words.includes("--no-config") ? { config: false as const } : config ? { config } : {};
  return { ...file, ...(broker && { broker }), define, extension };
}
