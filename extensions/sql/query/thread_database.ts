import type { Call } from "../../../runtime/service/call.ts";
import { type Clock, SYSTEM_CLOCK } from "../../../runtime/waiting/clock.ts";
import type { DatabaseConnection } from "../kysely.ts";
import type { HeldConnection, ThreadConnections } from "../limit/thread_connections.ts";
import { KyselyFactory, QueryConnection } from "./dialect.ts";

/** Milliseconds by which the database may end a statement later than the call's own signal does. */
const SLACK = 100;

/** The database of a service, as the calls of one thread share it. */
export class ThreadDatabase implements AsyncDisposable {
  readonly uri: string;
  readonly connections: ThreadConnections;
  readonly kyselys: KyselyFactory;
  readonly #clock: Pick<Clock, "now">;

  /** @param clock Counts the deadlines of the calls. */
  constructor(uri: string, connections: ThreadConnections, clock: Pick<Clock, "now"> = SYSTEM_CLOCK) {
    this.#clock = clock;
    this.uri = uri;
    this.connections = connections;
    this.kyselys = new KyselyFactory(connections.driver.dialect);
  }

  /**
   * Milliseconds that each statement of a transaction of a call may take; undefined for what the connection allows.
   *
   * The signal of the call ends its statements first, so that they fail with its reason. The database does the same
   * where the signal cannot, because the thread is busy or lost.
   */
  statementTimeout({ deadline }: Pick<Call, "deadline">): number | undefined {
    if (deadline === undefined) return undefined;
    const left = Math.max(deadline - this.#clock.now(), 0) + SLACK;
    return Math.min(left, this.connections.settings.statementTimeout ?? Infinity);
  }

  /** Lends a connection for one use, each query of which is a transaction of its own. */
  async lend<Value>(
    signal: AbortSignal,
    use: (connection: DatabaseConnection) => Promise<Value>,
  ): Promise<Value> {
    const held = await this.connections.take(signal);
    const { connection } = held;
    try {
      return await use(
        new QueryConnection(
          ({ sql, parameters }, options) =>
            connection.query(sql, parameters, { signal: options.signal ?? signal }),
          connection,
        ),
      );
    } finally {
      this.connections.give(held);
    }
  }

  /** Ends a transaction that has failed, and gives its connection back. Never rejects. */
  async rollBack(held: HeldConnection): Promise<void> {
    try {
      if (!held.connection.isBroken) await held.connection.rollback();
      this.connections.give(held);
    } catch {
      // The database rolls back what a closed connection has begun.
      this.connections.discard(held);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.connections[Symbol.asyncDispose]();
  }
}
