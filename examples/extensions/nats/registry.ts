/**
 * What all processes know together: the exchanges, the queues, and who uses them.
 *
 * The registry is a stream that keeps the last message of each subject, and each subject is an entry. A change is
 * published under the condition that nobody has changed the entry since it was read, so no change is lost.
 */
import { BrokerError } from "@enoki/enoki";
import {
  answeredWith,
  CODES,
  type JetStreamClient,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
} from "./client_library.ts";
import type { Names } from "./names.ts";

/** One entry as it was read. */
export interface Entry<Value> {
  readonly value: Value;
  /** Number of the last change, which is larger than those of all changes before. */
  readonly revision: number;
  /** Time of the last change, in milliseconds since the epoch, by the server's clock. */
  readonly changedAt: number;
}

/** What {@linkcode Registry.change} does to an entry: gives it a value, removes it, or leaves it as it is. */
export type Change<Value> = { readonly put: Value } | "remove" | "keep";

/** Number of attempts to change an entry that others change all the time. */
const ATTEMPTS = 100;

/** Reads and changes the entries under one prefix. */
export class Registry {
  readonly #jetstream: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #names: Names;

  constructor(jetstream: JetStreamClient, manager: JetStreamManager, names: Names) {
    this.#jetstream = jetstream;
    this.#manager = manager;
    this.#names = names;
  }

  /** Creates the stream if it is not there. */
  async open(replicas: number): Promise<void> {
    try {
      await this.#manager.streams.add({
        name: this.#names.registry,
        subjects: [this.#names.entry(">")],
        retention: RetentionPolicy.Limits,
        storage: StorageType.File,
        max_msgs_per_subject: 1,
        num_replicas: replicas,
      });
    } catch (error) {
      // Another process has created it with another number of replicas.
      if (!answeredWith(error, CODES.streamNameInUse)) throw error;
    }
  }

  async get<Value>(key: string): Promise<Entry<Value> | undefined> {
    return (await this.#read<Value>(key)).entry;
  }

  /** Lists the keys that begin with `kind`, without it. */
  async list(kind: string): Promise<readonly string[]> {
    const filter = this.#names.entry(`${kind}.*`);
    const { state } = await this.#manager.streams.info(this.#names.registry, { subjects_filter: filter });
    return Object.keys(state.subjects ?? {}).map((subject) => subject.slice(filter.length - 1));
  }

  /**
   * Changes an entry, and returns the entry as it was before, if it was there.
   *
   * @param decide Decides on the change. It is called again if somebody else was faster.
   */
  async change<Value>(
    key: string,
    decide: (entry: Entry<Value> | undefined) => Change<Value> | Promise<Change<Value>>,
  ): Promise<Entry<Value> | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { entry, revision } = await this.#read<Value>(key);
      const change = await decide(entry);
      if (change === "keep" || (change === "remove" && entry === undefined)) return entry;
      const text = change === "remove" ? "" : JSON.stringify(change.put);
      try {
        const { seq } = await this.#jetstream.publish(this.#names.entry(key), text, {
          expect: { lastSubjectSequence: revision },
        });
        if (change === "remove") await this.#forget(seq);
        return entry;
      } catch (error) {
        if (!answeredWith(error, CODES.wrongLastSequence)) throw error;
      }
    }
    throw new BrokerError(`Cannot change entry "${key}" of the registry: others change it all the time`);
  }

  async #read<Value>(
    key: string,
  ): Promise<{ readonly entry?: Entry<Value>; readonly revision: number }> {
    const message = await this.#manager.streams.getMessage(this.#names.registry, {
      last_by_subj: this.#names.entry(key),
    });
    if (message === null) return { revision: 0 };
    // An empty message is an entry that somebody is removing.
    if (message.data.length === 0) return { revision: message.seq };
    try {
      const value = message.json<Value>();
      const { seq: revision, time } = message;
      return { entry: { value, revision, changedAt: time.getTime() }, revision };
    } catch (error) {
      throw new BrokerError(
        `Cannot read entry "${key}" of the registry in stream ${this.#names.registry}: it is no JSON. Delete it`,
        { cause: error },
      );
    }
  }

  /** Removes the empty message of a removed entry. Somebody else may have written the entry again. */
  async #forget(sequence: number): Promise<void> {
    try {
      await this.#manager.streams.deleteMessage(this.#names.registry, sequence, false);
    } catch (error) {
      if (!answeredWith(error, CODES.noMessageFound, CODES.noSuchSequence)) throw error;
    }
  }
}
