import { maskRandomTexts } from "../../../runtime/log/secret_shapes.ts";
import { maskSecrets } from "../../../runtime/log/secrets.ts";
import type { FieldTable } from "../../../runtime/message/transport.ts";
import { pause } from "../../../runtime/waiting/abort.ts";
import type { CommandIo } from "../command_io.ts";
import { Evaluator } from "../shell/evaluator.ts";
import { createShellCluster } from "../shell/cluster.ts";
import { runScript, type Script } from "../shell/script.ts";
import { onStrayFailure } from "../shell/stray_failures.ts";
import { KnownServices } from "../shell/services.ts";
import { EXIT } from "../view/failure_report.ts";
import type { ConfigFlags } from "./config.ts";
import { beginMessaging } from "./messaging.ts";

/** Flags of `shell`. */
export interface ShellFlags extends ConfigFlags {
  /** A script to run instead of those on stdin. */
  readonly eval?: string;
  /** How the shell reads lines. @default {"plain" if the terminal cannot do more} */
  readonly interface?: "plain";
  /** Seconds that a call waits for its answer. */
  readonly timeout?: number;
  readonly header?: FieldTable;
  readonly logLevel?: string;
}

/** Gives the user a global `n` to call services and to dispatch events with, at a prompt or in a script. */
export async function shellCommand(
  { broker, timeout, header: headers = {}, eval: given, interface: chosen, logLevel = "info", ...setup }:
    ShellFlags,
  io: CommandIo,
): Promise<number> {
  let writeMessage = io.writeMessage;
  const config = await beginMessaging({ ...setup, logLevel }, {
    ...io,
    writeMessage: (text) => writeMessage(text),
  });
  const evaluator = await Evaluator.load();
  const script = await readScript(given, evaluator, io);
  if (script === "wrong") return EXIT.usage;
  const { connect } = await import("../../connect.ts");
  const connection = await connect({
    config,
    headers,
    ...(broker !== undefined && { broker }),
    ...(timeout !== undefined && { timeout: timeout * 1_000 }),
  });
  // What inputs have sent and not awaited may fail because of the end.
  using _failures = onStrayFailure(() => {});
  using known = new KnownServices((signal) => connection.services({ signal }));
  try {
    evaluator.scope["n"] = createShellCluster({
      connection,
      config: maskRandomTexts(maskSecrets(broker === undefined ? config : { ...config, TRANSPORT: broker })),
      known,
      signal: () => evaluator.signal,
      track: (sending) => evaluator.track(sending),
    });
    if (script !== undefined) return await runScript(script, evaluator, connection.broker, io);
    const [{ Session }, { History }] = await Promise.all([
      import("../shell/session.ts"),
      import("../shell/history.ts"),
    ]);
    known.refresh();
    io.writeResult(banner(connection.broker, io));
    const session = new Session({
      evaluator,
      known,
      history: new History(io.env),
      broker: connection.broker,
      fancy: chosen === undefined && io.env.get("TERM") !== "dumb",
      io,
    });
    writeMessage = (text) => session.write(text);
    return await session.run();
  } finally {
    writeMessage = io.writeMessage;
    await connection.close();
    await pause(0);
  }
}

/** Reads the script of a shell that has no user at its terminal. Gives undefined if there is a user. */
async function readScript(
  given: string | undefined,
  evaluator: Evaluator,
  { input, writeMessage }: CommandIo,
): Promise<Script | "wrong" | undefined> {
  if (given === undefined && input.terminal) return undefined;
  const text = given ?? await input.read();
  try {
    const read = evaluator.read(text);
    if (read !== undefined) return { text, input: read };
    writeMessage("Cannot read the script: it ends in the middle of a statement\n");
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    writeMessage(`Cannot read the script: ${error.message}\n`);
  }
  return "wrong";
}

function banner(broker: string, { version }: CommandIo): string {
  const [enoki] = version.split("\n");
  return `${enoki} shell, deno ${Deno.version.deno}, on ${broker}\n` +
    "n has rpc.<service>.<method>(…), dispatch_event(source, type, payload), services and config. See .help\n";
}
