import type { ConsumeOptions, Delivery, Topology, Verdict } from "../../runtime/message/transport.ts";
import type { SealedMessage } from "./sealed_message.ts";

/** A consumer as one connection sees it; a verdict on a delivery of a lost connection is void. */
export interface Feed {
  setPrefetch(prefetch: number): Promise<void>;
  /** Resolves when nothing more comes; open deliveries keep their right to a verdict. */
  cancel(): Promise<void>;
  /** States what becomes of a delivery. */
  settle(tag: number, verdict: Verdict): void;
  /** Resolves when the broker knows every verdict, and forgets the consumer. */
  end(): Promise<void>;
}

/** Takes what a feed brings; the tag is what a verdict refers to. */
export type Taker = (feed: Feed, tag: number, delivery: Delivery) => void;

/** One connection to a broker, with no recovery: after its loss every call fails. */
export interface Link {
  declare(topology: Topology): Promise<void>;
  publish(message: SealedMessage): Promise<void>;
  consume(queue: string, taker: Taker, options: ConsumeOptions): Promise<Feed>;
  countMessages(queue: string): Promise<number | undefined>;
  deleteQueue(name: string): Promise<void>;
  close(): Promise<void>;
}
