import { escapeControls, escapeControlsInLines } from "../../../runtime/log/terminal_text.ts";
import type { ControlConnection } from "../../control_connection.ts";
import type { QueueState } from "../../queues.ts";
import type { CommandIo } from "../command_io.ts";
import type { ConfigFlags } from "./config.ts";
import { EXIT } from "../view/failure_report.ts";
import { type Column, formatRows } from "../view/table.ts";
import { beginMessaging } from "./messaging.ts";

/** What `queues` is to do. */
export type QueuesAction =
  | { readonly name: "list"; readonly json?: boolean }
  | { readonly name: "delete" | "purge"; readonly queue: string; readonly yes?: boolean };

/** Lists queues, or deletes one of them or its messages. */
export async function queuesCommand(
  action: QueuesAction,
  { broker, ...setup }: ConfigFlags,
  io: CommandIo,
): Promise<number> {
  const config = await beginMessaging(setup, io);
  const { openControl } = await import("../../control_connection.ts");
  await using control = await openControl({ config, ...(broker !== undefined && { broker }) });
  return action.name === "list"
    ? await list(control, action.json ?? false, io)
    : await remove(control, action.queue, action.name, action.yes ?? false, io);
}

const COLUMNS: readonly Column<QueueState>[] = [
  { title: "QUEUE", text: ({ name }) => name, elastic: true },
  { title: "MESSAGES", text: ({ messages }) => numberText(messages), right: true },
  { title: "UNACKED", text: ({ unacked }) => numberText(unacked), right: true, optional: 1 },
  { title: "CONSUMERS", text: ({ consumers }) => numberText(consumers), right: true },
  { title: "SERVED BY", text: servers, elastic: true },
];

async function list(control: ControlConnection, json: boolean, io: CommandIo): Promise<number> {
  const { surveyQueues } = await import("../../queues.ts");
  const { queues, isComplete } = await surveyQueues(control);
  if (json) {
    const all = queues.map((queue) => ({ ...queue, served: servers(queue) !== "nobody" }));
    io.writeResult(`${escapeControlsInLines(JSON.stringify(all, null, 2))}\n`);
  } else if (queues.length > 0) {
    const { screen } = io;
    io.writeResult(formatRows(queues, COLUMNS, {
      ...(screen && { width: screen.size().columns }),
      ...(screen?.colors && { mark: (titles) => `\x1b[1m${titles}\x1b[0m` }),
    }));
  } else if (isComplete) io.writeMessage(`There are no queues at ${control.transport.broker}\n`);
  if (!isComplete) io.writeMessage(`${limitsText()}\n`);
  return EXIT.fine;
}

/** Says that only some queues are known, and how all are. */
export function limitsText(): string {
  return "Only queues of services that run are known: this broker does not list its queues. With RabbitMQ's management " +
    "plugin, at the usual port or where AMQP_MANAGEMENT_URI says, all are";
}

/** Says who consumes a queue: services, others that do not answer here, or nobody although somebody should. */
function servers({ name, services, consumers }: QueueState): string {
  if (services.length > 0) return services.join(", ");
  if ((consumers ?? 0) > 0) return "others";
  return /^(?:rpc|evt)-/.test(name) ? "nobody" : "-";
}

function numberText(count: number | undefined): string {
  return count === undefined ? "-" : String(count);
}

async function remove(
  { transport }: ControlConnection,
  queue: string,
  action: "delete" | "purge",
  yes: boolean,
  io: CommandIo,
): Promise<number> {
  const say = (text: string) => io.writeMessage(`${escapeControls(text)}\n`);
  const count = await transport.countMessages(queue);
  if (count === undefined) {
    say(`Cannot ${action} queue "${queue}": there is none at ${transport.broker}. See ${io.program} queues`);
    return EXIT.usage;
  }
  const messages = count === 1 ? "1 message" : `${count} messages`;
  if (!yes) {
    const what = action === "delete"
      ? `queue "${queue}" with ${messages}`
      : `${messages} of queue "${queue}"`;
    say(`This would delete ${what} for good. Confirm with --yes`);
    return EXIT.usage;
  }
  if (action === "delete") {
    await transport.deleteQueue(queue);
    say(`Deleted queue "${queue}" with ${messages}`);
    return EXIT.fine;
  }
  const { purgeQueue } = await import("../../queue_messages.ts");
  const purged = await purgeQueue(transport, queue);
  say(`Deleted ${purged === 1 ? "1 message" : `${purged} messages`} of queue "${queue}"`);
  return EXIT.fine;
}
