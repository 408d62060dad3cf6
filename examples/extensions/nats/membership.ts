/** Who consumes a queue, as the registry knows it. */
import { BrokerError } from "@enoki/enoki";
import { refuseOthers, removeQueue } from "./queue.ts";
import { type ConsumerRecord, queueKey, type QueueRecord } from "./records.ts";
import type { Session } from "./session.ts";

/**
 * Enters a consumer into the record of its queue, and returns the record.
 *
 * @throws {BrokerError} If there is no such queue, or another consumer or session has it alone.
 */
export async function join(
  session: Session,
  queue: string,
  consumer: Omit<ConsumerRecord, "session">,
): Promise<QueueRecord> {
  let joined: QueueRecord | undefined;
  await session.registry.change<QueueRecord>(queueKey(queue), async (entry) => {
    if (entry === undefined) {
      throw new BrokerError(`Cannot consume queue "${queue}": there is no such queue. Declare it first`);
    }
    await refuseOthers(session, entry.value, "consume");
    const alive = await session.alive(entry.value.consumers.map((other) => other.session));
    const others = entry.value.consumers.filter((other) =>
      alive.has(other.session) && other.id !== consumer.id
    );
    if (others.some(({ exclusive }) => exclusive || consumer.exclusive)) {
      throw new BrokerError(
        `Cannot consume queue "${queue}"${consumer.exclusive ? " alone" : ""}: it has ${
          others.some(({ exclusive }) => exclusive) ? "an exclusive consumer" : "another consumer"
        }`,
      );
    }
    const own: ConsumerRecord = { ...consumer, session: session.id };
    joined = { ...entry.value, used: true, consumers: [...others, own] };
    return { put: joined };
  });
  return joined!;
}

/** Takes a consumer out of the record of its queue. An auto-delete queue goes with its last consumer. */
export async function leave(session: Session, queue: string, id: string): Promise<void> {
  let last = false;
  await session.registry.change<QueueRecord>(queueKey(queue), (entry) => {
    if (entry === undefined || !entry.value.consumers.some((consumer) => consumer.id === id)) return "keep";
    const consumers = entry.value.consumers.filter((consumer) => consumer.id !== id);
    last = entry.value.autoDelete && consumers.length === 0;
    return { put: { ...entry.value, consumers } };
  });
  if (last) await removeQueue(session, queue, ({ value }) => value.consumers.length === 0);
}
