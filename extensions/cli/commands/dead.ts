import { Buffer } from "node:buffer";
import { UTF8 } from "../../../runtime/message/codec.ts";
import { escapeControlsInLines } from "../../../runtime/log/terminal_text.ts";
import type { CommandIo } from "../command_io.ts";
import type { DeadLetter, DeadLetters, OpenedDeadLetter } from "../../dead_letters.ts";
import type { openControl } from "../../control_connection.ts";
import type { ConfigFlags } from "./config.ts";
import { EXIT } from "../view/failure_report.ts";
import { beginMessaging, CONFIRM_TIMEOUT } from "./messaging.ts";
import { alignColumns } from "../view/service_listing.ts";
import { formatRows } from "../view/table.ts";
import { limitsText } from "./queues.ts";

/** An action on the dead messages of a queue. A timeout is in seconds. */
export type DeadAction =
  | { readonly name: "list"; readonly json?: boolean }
  | { readonly name: "show"; readonly number: number }
  | { readonly name: "replay"; readonly number?: number; readonly timeout?: number }
  | { readonly name: "purge"; readonly yes?: boolean };

/**
 * Lists, shows, replays or deletes the messages of a queue that could not be handled.
 *
 * @param queue Name of the queue. A list without it is one of all queues that have such messages.
 */
export async function deadCommand(
  action: DeadAction,
  queue: string | undefined,
  { broker, ...setup }: ConfigFlags,
  io: CommandIo,
): Promise<number> {
  const config = await beginMessaging(setup, io);
  if (queue === undefined) {
    return await listQueues(action, { config, ...(broker !== undefined && { broker }) }, io);
  }
  const { openDeadLetters } = await import("../../dead_letters.ts");
  await using letters = await openDeadLetters(queue, { config, ...(broker !== undefined && { broker }) });
  return await act(action, queue, letters, io);
}

/** Lists the queues that have dead messages, as far as they are known. */
async function listQueues(
  action: DeadAction,
  options: Parameters<typeof openControl>[0],
  io: CommandIo,
): Promise<number> {
  const { openControl } = await import("../../control_connection.ts");
  const { surveyDeadLetters } = await import("../../queues.ts");
  await using control = await openControl(options);
  const { queues, isComplete } = await surveyDeadLetters(control);
  if (action.name === "list" && action.json) {
    io.writeResult(`${escapeControlsInLines(JSON.stringify(queues, null, 2))}\n`);
  } else if (queues.length === 0) io.writeMessage("No queue has dead messages\n");
  else {
    io.writeResult(formatRows(queues, [
      { title: "QUEUE", text: ({ queue }) => queue },
      { title: "DEAD", text: ({ messages }) => String(messages), right: true },
    ]));
  }
  if (!isComplete) io.writeMessage(`${limitsText()}\n`);
  return EXIT.fine;
}

async function act(
  action: DeadAction,
  queue: string,
  letters: DeadLetters,
  io: CommandIo,
): Promise<number> {
  const say = (text: string) => io.writeMessage(`${text}\n`);
  switch (action.name) {
    case "list": {
      const all = await letters.list();
      if (action.json) {
        io.writeResult(`${escapeControlsInLines(JSON.stringify(all.map(summary), null, 2))}
`);
      } else if (all.length === 0) {
        say(
          await letters.knowsQueue()
            ? `Queue "${queue}" has no dead messages`
            : `There is no queue "${queue}", and it has no dead messages. Events for a handler are in queue ` +
              "evt-<source>-<event>--<service>.<method>, and calls in queue rpc-<service>",
        );
      } else {io.writeResult(`${alignColumns(all.map(row), "")}
`);}
      return EXIT.fine;
    }
    case "show": {
      const letter = await letters.show(action.number);
      if (letter === undefined) return missing(action.number);
      io.writeResult(escapeControlsInLines(describe(letter)));
      return EXIT.fine;
    }
    case "replay": {
      const { number, timeout = CONFIRM_TIMEOUT } = action;
      const count = await letters.replay({
        ...(number !== undefined && { number }),
        timeout: timeout * 1_000,
      });
      if (count === 0 && number !== undefined) return missing(number);
      say(`Replayed ${messages(count)} to queue "${queue}"`);
      return EXIT.fine;
    }
    case "purge": {
      if (!action.yes) {
        say(
          `Purging would delete ${
            messages(await letters.count())
          } of queue "${queue}" for good. Confirm with --yes`,
        );
        return EXIT.usage;
      }
      say(`Deleted ${messages(await letters.purge())} of queue "${queue}"`);
      return EXIT.fine;
    }
  }

  function missing(number: number): number {
    say(`Cannot find dead message ${number} of queue "${queue}": see ${io.program} dead list ${queue}`);
    return EXIT.usage;
  }
}

function messages(count: number): string {
  return count === 1 ? "1 dead message" : `${count} dead messages`;
}

function summary({ number, reason, error, at, attempts, size }: DeadLetter): Record<string, unknown> {
  return { number, reason, error, at, attempts, size };
}

function row({ number, reason, error, at, attempts, size }: DeadLetter): readonly string[] {
  const tries = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
  return [String(number), at, reason, tries, `${size} B`, oneLine(error)];
}

/** Turns a text into one line, so that a message cannot forge another line of the list. */
function oneLine(text: string): string {
  return text.replaceAll(CONTROLS_REGEXP, " ");
}

// deno-lint-ignore no-control-regex -- these are the characters to leave out
const CONTROLS_REGEXP = /[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g;

function describe(letter: OpenedDeadLetter): string {
  const { number, reason, error, at, attempts, exchange, routingKey, properties, body } = letter;
  const facts = { number, reason, error, at, attempts, exchange, routingKey, ...properties };
  const rows = Object.entries(facts).map(([name, value]) => [
    name,
    typeof value === "string" ? oneLine(value) : JSON.stringify(value),
  ]);
  return `${alignColumns(rows, "")}\n\n${bodyText(body)}\n`;
}

function bodyText(body: Uint8Array): string {
  try {
    return UTF8.decode(body);
  } catch {
    return `base64: ${Buffer.from(body).toString("base64")}`;
  }
}
