/**
 * A queue is an entry of the registry, which says what was declared and who uses it, and a stream, which holds the
 * messages. All consumers share the one durable consumer of the stream.
 */
import { BrokerError } from "@enoki/enoki";
import type { QueueDeclaration } from "@enoki/enoki/hosting";
import {
  AckPolicy,
  answeredWith,
  CODES,
  DeliverPolicy,
  nanos,
  RetentionPolicy,
  StorageType,
} from "./client_library.ts";
import { unbind } from "./exchange.ts";
import { readQueueArguments } from "./queue_arguments.ts";
import { isTimed, queueKey, type QueueRecord, timedKey } from "./records.ts";
import type { Entry } from "./registry.ts";
import { pause, type Session } from "./session.ts";

/** Name of the durable consumer of each stream. */
export const CONSUMER = "queue";

/** Milliseconds within which the server drops a message that was sent twice. */
const DUPLICATE_WINDOW = 120_000;

/**
 * Declares a queue and returns its record.
 *
 * @throws {BrokerError} If there is such a queue with other properties, or another session owns it.
 */
export async function declareQueue(session: Session, declaration: QueueDeclaration): Promise<QueueRecord> {
  const { name, exclusive = false } = declaration;
  const wanted: QueueRecord = {
    name,
    stream: session.names.newStream(name),
    durable: declaration.durable ?? true,
    autoDelete: declaration.autoDelete ?? false,
    arguments: readQueueArguments(declaration),
    ...(exclusive && { owner: session.id }),
    exchanges: [],
    consumers: [],
    used: false,
  };
  const { registry } = session;
  let record = wanted;
  for (let orphan = true; orphan;) {
    orphan = false;
    record = wanted;
    await registry.change<QueueRecord>(queueKey(name), async (entry) => {
      if (entry === undefined) return { put: wanted };
      const { value: there } = entry;
      if (there.owner !== undefined && there.owner !== session.id) {
        await refuseOthers(session, there, "declare");
        orphan = true;
        return "keep";
      }
      if (propertiesOf(there) === propertiesOf(wanted)) {
        record = there;
        // Declaring a queue uses it, so its time begins again.
        return there.arguments.lease === undefined ? "keep" : { put: there };
      }
      throw new BrokerError(
        `Cannot declare queue "${name}": it is there with other properties, ${propertiesOf(there)}. ` +
          "Declare it as it is, or delete it first",
      );
    });
    if (orphan) await removeQueue(session, name);
  }
  // The record comes first, so that whoever removes the other entry sees that the queue is there again.
  if (isTimed(wanted)) await registry.change(timedKey(name), () => ({ put: name }));
  await createStream(session, record);
  return record;
}

function propertiesOf({ durable, autoDelete, owner, arguments: args }: QueueRecord): string {
  const sorted = Object.entries(args).toSorted(([one], [other]) => one < other ? -1 : 1);
  return JSON.stringify({
    durable,
    autoDelete,
    exclusive: owner !== undefined,
    ...Object.fromEntries(sorted),
  });
}

/** Throws if a queue is exclusive to another session that is alive. */
export async function refuseOthers(
  session: Session,
  { name, owner }: QueueRecord,
  action: string,
): Promise<void> {
  if (owner === undefined || owner === session.id) return;
  if (!(await session.alive([owner])).has(owner)) return;
  throw new BrokerError(`Cannot ${action} queue "${name}": it is exclusive to another connection`, {
    state: "held",
  });
}

async function createStream(session: Session, { name, stream, durable }: QueueRecord): Promise<void> {
  const { manager, names, options: { replicas, ackWait } } = session;
  const create = () =>
    manager.streams.add({
      name: stream,
      subjects: [names.subject(name)],
      retention: RetentionPolicy.Workqueue,
      storage: durable ? StorageType.File : StorageType.Memory,
      num_replicas: replicas,
      duplicate_window: nanos(DUPLICATE_WINDOW),
    });
  for (let attempt = 1;; attempt++) {
    try {
      await create();
      break;
    } catch (error) {
      // The stream is there. It differs only in what each process sets for itself.
      if (answeredWith(error, CODES.streamNameInUse)) break;
      if (!answeredWith(error, CODES.subjectInUse) || attempt === ATTEMPTS) throw error;
      // The stream of a removed queue of this name is going, or whoever removed the queue died before that.
      await deleteOthers(session, name, stream);
      await pause(attempt * ATTEMPT_STEP, session.signal);
    }
  }
  await manager.consumers.add(stream, {
    durable_name: CONSUMER,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: nanos(ackWait),
    max_ack_pending: -1,
    max_waiting: MOST_PULLS,
  });
}

/** Number of attempts to create a stream whose subject another one still has. */
const ATTEMPTS = 50;

/** Milliseconds by which the wait between two attempts grows. */
const ATTEMPT_STEP = 10;

/** Deletes the streams that have the subject of a queue, but for the one that is the queue's. */
async function deleteOthers(session: Session, queue: string, stream: string): Promise<void> {
  const { manager, names } = session;
  const found: string[] = [];
  for await (const name of manager.streams.names(names.subject(queue))) if (name !== stream) found.push(name);
  for (const name of found) await deleteStream(session, name);
}

async function deleteStream({ manager }: Session, stream: string): Promise<void> {
  try {
    await manager.streams.delete(stream);
  } catch (error) {
    if (!answeredWith(error, CODES.streamNotFound)) throw error;
  }
}

/** Number of pulls of all consumers of a queue that may wait at a time. */
const MOST_PULLS = 4_096;

/**
 * Removes a queue with its messages and bindings.
 *
 * @param condition Decides, by the entry of this moment, whether the queue still goes. @default {it goes}
 */
export async function removeQueue(
  session: Session,
  queue: string,
  condition: (entry: Entry<QueueRecord>) => boolean = () => true,
): Promise<void> {
  let gone: QueueRecord | undefined;
  await session.registry.change<QueueRecord>(queueKey(queue), (entry) => {
    gone = entry !== undefined && condition(entry) ? entry.value : undefined;
    return gone === undefined ? "keep" : "remove";
  });
  if (gone === undefined) return;
  for (const exchange of gone.exchanges) await unbind(session, exchange, queue);
  await deleteStream(session, gone.stream);
  if (isTimed(gone)) await forgetTimed(session, queue);
}

/** Removes the entry that says that a queue needs a caretaker, if the queue is gone. */
export async function forgetTimed({ registry }: Session, queue: string): Promise<void> {
  await registry.change(
    timedKey(queue),
    async () => await registry.get(queueKey(queue)) === undefined ? "remove" : "keep",
  );
}

/** Counts the messages of a queue that no consumer holds; undefined if there is no such queue. */
export async function countMessages(session: Session, queue: string): Promise<number | undefined> {
  const entry = await session.registry.get<QueueRecord>(queueKey(queue));
  if (entry === undefined) return undefined;
  await refuseOthers(session, entry.value, "count the messages of");
  const holders = new Set(entry.value.consumers.map((consumer) => consumer.session));
  try {
    const { state } = await session.manager.streams.info(entry.value.stream);
    const held = await Promise.all([...holders].map((id) => session.heldBy(id, queue)));
    return Math.max(0, state.messages - held.reduce<number>((sum, each) => sum + (each ?? 0), 0));
  } catch (error) {
    if (answeredWith(error, CODES.streamNotFound)) return undefined;
    throw error;
  }
}
