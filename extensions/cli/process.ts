/** The process of a command line: its streams, its signals and its end. */
import type { Build, CommandIo, StopSignal } from "./command_io.ts";
import { terminalScreen } from "./terminal.ts";
import { complaintAboutDeno } from "./view/deno_version.ts";
import { programName } from "./view/program_name.ts";
import { versionText } from "./view/version.ts";
import { stderrSettled, writeToStderr } from "../../runtime/log/observe.ts";
import { OWN_PACKAGE } from "../../runtime/program/own_package.ts";
import { becomeServiceProcess } from "../../runtime/spawning/process/own_binary.ts";

/**
 * Runs this process's command line and ends the process.
 *
 * @param run Runs a command line and returns the exit status. It never throws.
 */
export async function startProcess(
  build: Build,
  run: (argv: readonly string[], io: CommandIo) => Promise<number>,
): Promise<never> {
  await becomeServiceProcess(Deno.args);
  const complaint = complaintAboutDeno(Deno.version.deno);
  if (complaint !== undefined) {
    writeToStderr(`${complaint}\n`);
    Deno.exit(2);
  }
  const status = await run(Deno.args, processIo(build));
  await stderrSettled(STDERR_LIMIT);
  Deno.exit(status);
}

function processIo(build: Build): CommandIo {
  const { application, extensions = [], revision } = build;
  return {
    program: application?.name ?? programName(Deno.mainModule, Deno.env.get("PATH")),
    version: versionText(OWN_PACKAGE.version, build),
    ...(revision !== undefined && { revision }),
    ...(application && { application }),
    extensions,
    env: Deno.env,
    terminal: Deno.stderr.isTerminal(),
    colors: Deno.stderr.isTerminal() && !Deno.noColor,
    columns: Deno.stderr.isTerminal() ? Deno.consoleSize().columns || 80 : 80,
    ...(Deno.stdout.isTerminal() && { screen: terminalScreen() }),
    input: {
      terminal: Deno.stdin.isTerminal(),
      read: () => new Response(Deno.stdin.readable).text(),
      ...(Deno.stdin.isTerminal() && { ask: (question, proposal) => prompt(question, proposal) }),
    },
    writeResult,
    writeMessage: writeToStderr,
    startOver,
    onStop,
  };
}

/** A binary has all flags of Deno that it needs. */
async function startOver(module?: string): Promise<number | undefined> {
  if (Deno.build.standalone) return undefined;
  const { startOver } = await import("./restart.ts");
  return await startOver(module);
}

function onStop(listener: (signal: StopSignal) => void): Disposable {
  // Windows has only one of the two signals.
  const signals: readonly StopSignal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  const listeners = signals.map((signal) => [signal, () => listener(signal)] as const);
  for (const [signal, heard] of listeners) Deno.addSignalListener(signal, heard);
  return {
    [Symbol.dispose]() {
      for (const [signal, heard] of listeners) Deno.removeSignalListener(signal, heard);
    },
  };
}

/**
 * Writes the whole text, and waits for a reader who takes it slowly. A reader that has gone, as in `… | head -1`,
 * is not a failure.
 */
function writeResult(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) {
    try {
      sent += Deno.stdout.writeSync(bytes.subarray(sent));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return;
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      Atomics.wait(NOBODY, 0, 0, RESULT_PAUSE);
    }
  }
}

/** Milliseconds before the next attempt to write to a full pipe. */
const RESULT_PAUSE = 10;

/** Memory that nobody changes, to wait at. */
const NOBODY = new Int32Array(new SharedArrayBuffer(4));

/** Milliseconds that the reader of stderr may stand still at the end of the process. */
const STDERR_LIMIT = 1_000;
