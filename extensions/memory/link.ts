import type { ConsumeOptions, Delivery, Topology, Verdict } from "../../runtime/message/transport.ts";
import type { SealedMessage } from "./sealed_message.ts";

/** A broker in this process gives a result at once, and a broker in another process gives a promise of it. */
export type Eventual<Value> = Value | Promise<Value>;

/** A feed is a consumer as one link sees it. A verdict on a delivery of a lost link has no effect. */
export interface Feed {
  setPrefetch(prefetch: number): Eventual<void>;
  /** Stops the intake. Once it is done, nothing more comes, but open deliveries may still get their verdict. */
  cancel(): Eventual<void>;
  /** Tells the broker the verdict on a delivery. */
  settle(tag: number, verdict: Verdict): void;
  /** Makes the broker forget the consumer. Once it is done, the broker knows every verdict. */
  end(): Eventual<void>;
}

/** Takes a delivery that a feed brings. A verdict names the delivery by its tag. */
export type Taker = (feed: Feed, tag: number, delivery: Delivery) => void;

/** A link is one connection to a broker. It does not recover: after its loss every call fails. */
export interface Link {
  /** Says whether the link is lost, so that every call fails from now on. */
  readonly lost: boolean;
  declare(topology: Topology): Eventual<void>;
  publish(message: SealedMessage): Eventual<void>;
  consume(queue: string, taker: Taker, options: ConsumeOptions): Eventual<Feed>;
  countMessages(queue: string): Eventual<number | undefined>;
  deleteQueue(name: string): Eventual<void>;
  close(): Eventual<void>;
}
