/**
 * Waits until nothing is under way that will run a call.
 *
 * With the broker in memory that is exact: a message is in a queue, at a consumer, or in a call, at every moment, and
 * all of these are counted. Another broker is asked for the messages that wait in the queues that the services consume,
 * twice with a pause, because a message may be on its way on the wire; what other programs hold it does not tell.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { pause, timeLimit, within } from "../../runtime/waiting/abort.ts";
import type { MemoryBroker } from "../memory/broker.ts";
import type { CallJournal } from "./call_journal.ts";
import type { WatchedTransport } from "./watched_transport.ts";

/** What is asked whether anything is under way. */
export interface IdleParts {
  readonly journal: CallJournal;
  readonly transport: WatchedTransport;
  /** The broker, if it is in this process. */
  readonly memory: MemoryBroker | undefined;
  /** Whether messages that wait for their time go on by themselves. */
  readonly timeMoves: boolean;
}

/** Milliseconds until a broker is asked again, and between the two questions that must agree. */
const INTERVAL = 20;

/**
 * Resolves when nothing is under way.
 *
 * @throws {DOMException} A `TimeoutError` that says what is under way after `timeout` milliseconds.
 */
export async function untilIdle(
  parts: IdleParts,
  { timeout, signal }: { readonly timeout: number; readonly signal: AbortSignal },
): Promise<void> {
  const { journal, memory } = parts;
  using limit = timeLimit(timeout, signal);
  let obstacles: readonly string[] = [];
  try {
    for (let quiet = 0; quiet < 2;) {
      limit.signal.throwIfAborted();
      const { change } = journal;
      obstacles = await obstaclesOf(parts);
      if (obstacles.length === 0) {
        quiet++;
        // What a handler has sent without waiting for it gets to the broker in the meantime.
        await (memory === undefined ? pause(INTERVAL, limit.signal) : nextTurn());
      } else {
        quiet = 0;
        await within(INTERVAL, change);
      }
    }
  } catch (error) {
    if (signal.aborted || !limit.signal.aborted) throw error;
    throw new DOMException(
      `Cannot wait until nothing is under way: after ${timeout} ms, ${obstacles.join(", and ")}`,
      "TimeoutError",
    );
  }
}

async function obstaclesOf(
  { journal, transport, memory, timeMoves }: IdleParts,
): Promise<readonly string[]> {
  const running = journal.running.map(({ service, method }) => `${service}.${method} runs`);
  if (running.length > 0) return running;
  if (!journal.isQuiet) return ["a message or a request of the test is being handled"];
  const delaying = timeMoves ? transport.delaying : [];
  const counts = await Promise.all([
    ...[...transport.consumed].map(async (queue) => ({
      queue,
      count: memory === undefined ? await transport.countMessages(queue) ?? 0 : memory.countHeld(queue),
    })),
    ...[...delaying].map(async (queue) => ({ queue, count: await transport.countMessages(queue) ?? 0 })),
  ]);
  return counts.filter(({ count }) => count > 0)
    .map(({ queue, count }) => `${count} ${count === 1 ? "message waits" : "messages wait"} in "${queue}"`);
}
