import type { Delivery } from "../../runtime/message/transport.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import { AckProof } from "./ack_proof.ts";
import type { Channel, ReceivedMessage } from "./client_library.ts";
import type { OverdueRun } from "./overdue.ts";
import { PendingMap } from "../../runtime/waiting/pending_map.ts";

/** A delivery whose receiver has not decided yet. */
export interface OpenDelivery {
  readonly delivery: Delivery;
  /** Where the verdict goes if the broker has taken the delivery back. */
  overdue: OverdueRun | undefined;
}

/** One `basic.consume`. Its prefetch is fixed, so another prefetch needs another tag. */
export interface ConsumerTag {
  name: string;
  /** True until the broker cancels this consumer tag, as it does when the queue is deleted. */
  live: boolean;
  readonly prefetch: number;
  /** Number of its deliveries that wait for their verdict. */
  open: number;
}

/** What has arrived on one channel. */
export class Arrivals {
  readonly acknowledgements: Acknowledgements;
  /** Tells whether the broker knows the acknowledgements. */
  readonly proof: AckProof;
  /** The deliveries without a verdict, by their tags. */
  readonly open: PendingMap<number, OpenDelivery> = new PendingMap();
  /** Detaches the repetitions that wait for the verdict of an earlier run, by their tags. */
  readonly detach: Map<number, () => void> = new Map();
  /** Number of deliveries, which is the tag of the last. */
  count = 0;
  /** Whether the channel has closed. */
  ended = false;

  constructor(channel: Channel) {
    this.acknowledgements = new Acknowledgements(channel);
    this.proof = new AckProof(channel, this.acknowledgements);
  }

  /**
   * Notes that the channel has closed.
   *
   * @param rescue Gives the run of a delivery that goes on, and whose verdict will count; undefined if the
   * delivery is given up.
   */
  end(rescue: (delivery: Delivery) => OverdueRun | undefined): void {
    this.ended = true;
    let isRescued = false;
    for (const held of this.open.values()) {
      held.overdue = rescue(held.delivery);
      isRescued ||= held.overdue !== undefined;
    }
    this.open.clear();
    this.acknowledgements.close(isRescued);
    for (const leave of this.detach.values()) leave();
    this.detach.clear();
  }
}

/** Makes the delivery that a receiver gets. */
export function toDelivery({ fields, properties, content }: ReceivedMessage, signal: AbortSignal): Delivery {
  const present: Record<string, unknown> = {};
  for (const name in properties) {
    const value = properties[name as keyof typeof properties];
    if (value !== undefined) present[name] = value;
  }
  return {
    exchange: fields.exchange,
    routingKey: fields.routingKey,
    // A plain Uint8Array: the slice() of a Buffer does not copy, although its type promises a copy.
    body: new Uint8Array(content.buffer, content.byteOffset, content.length),
    properties: present,
    redelivered: fields.redelivered,
    signal,
  };
}
