/**
 * Looks at the messages of a queue that no service consumes, or takes them.
 *
 * A queue shows its messages only to a consumer, from the oldest message on. A message that is to stay is held until
 * the consumer is cancelled; then it goes back. The queue gives returned messages their old places, so order and
 * headers stay as they were. The bodies are not held, so the queue may be larger than the memory of this process. If
 * the process dies while it looks, nothing is lost: the broker puts all messages back.
 */
import { within } from "../runtime/waiting/abort.ts";
import type { Delivery, Transport, Verdict } from "../runtime/message/transport.ts";

/** What happens to a message. A message that stays goes back to its place at the end. */
export type Fate = "taken" | "stays";

/** Decides what happens to a message. It must not keep the delivery. */
export type Judge = (delivery: Delivery, number: number) => Fate | Promise<Fate>;

/** The messages that are held at a time where all of them are taken. */
export const BATCH = 100;

/** Milliseconds that the broker may send nothing while it has counted more messages than it has sent. */
const PATIENCE = 2_000;

/**
 * Judges the first `count` messages, one after the other. It ends at the first failure, and the rest stays.
 *
 * @param options.prefetch Messages that are held at a time: all of them, where some are to stay.
 */
export async function judgeMessages(
  transport: Transport,
  queue: string,
  { count, prefetch }: { readonly count: number; readonly prefetch: number },
  judge: Judge,
): Promise<void> {
  if (count === 0) return;
  const staying = Promise.withResolvers<Verdict>();
  const over = Promise.withResolvers<void>();
  let arrived = 0;
  let judged = 0;
  let failed = false;
  let turn: Promise<Fate> = Promise.resolve("stays");
  const decide = async (delivery: Delivery, number: number): Promise<Fate> => {
    if (failed) return "stays";
    try {
      return await judge(delivery, number);
    } catch (error) {
      failed = true;
      over.reject(error);
      return "stays";
    } finally {
      if (++judged === count) over.resolve();
    }
  };
  const consumer = await transport.consume(queue, (delivery) => {
    const number = ++arrived;
    if (number > count) return staying.promise;
    turn = turn.then(() => decide(delivery, number));
    return turn.then((fate) => fate === "taken" ? "ack" : staying.promise);
  }, { prefetch });
  try {
    await arrival(over.promise, () => arrived, () => judged);
  } finally {
    await consumer.cancel();
    staying.resolve("requeue");
    await consumer.stop();
  }
}

/** Deletes the messages that wait in a queue now, and returns their number. */
export async function purgeQueue(transport: Transport, queue: string): Promise<number> {
  let purged = 0;
  const count = await transport.countMessages(queue) ?? 0;
  await judgeMessages(transport, queue, { count, prefetch: BATCH }, () => {
    purged++;
    return "taken";
  });
  return purged;
}

/** Waits for the messages that were counted. Somebody else may have taken some of them in the meantime. */
async function arrival(over: Promise<void>, arrived: () => number, judged: () => number): Promise<void> {
  for (let before = -1, done = false; !done && (arrived() > before || judged() < arrived());) {
    before = arrived();
    done = await within(PATIENCE, over);
  }
}
