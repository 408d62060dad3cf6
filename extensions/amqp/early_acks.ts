/**
 * Hands over the deliveries of a consumer with `noAck`: each one after the broker has forgotten it.
 *
 * A no-ack consumer of AMQP would be sent its whole queue at once: prefetch does not hold for it, and RabbitMQ has no
 * `channel.flow` for clients. So this consumer acknowledges each delivery itself, before the receiver gets it.
 *
 * The invariant: at most `limit` deliveries are with the receiver or on their way to it, and only the others still
 * count for the broker's prefetch. So the memory is bounded, however long the queue is and however slow the receiver.
 *
 * A broker does not confirm acknowledgements. But it handles what comes on one channel in its order, so its answer to
 * a question that was sent later proves that it has forgotten the message. Without that answer, because the channel
 * has closed, nobody knows, and the receiver does not get the delivery: it comes again, or it is lost.
 */
import type { Delivery, Receiver } from "../../runtime/message/transport.ts";
import type { AckProof } from "./ack_proof.ts";
import type { ConsumerTag } from "./arrivals.ts";

/** A delivery of a consumer with `noAck`. */
export interface EarlyDelivery {
  readonly delivery: Delivery;
  readonly deliveryTag: number;
  /** Its consumer, which counts the deliveries that the broker still knows. */
  readonly tag: Pick<ConsumerTag, "open" | "prefetch">;
  readonly proof: AckProof;
}

/** The deliveries of one consumer with `noAck`, from all of its channels. */
export class EarlyAcks {
  readonly #receiver: Receiver;
  readonly #onEnd: () => void;
  readonly #waiting: EarlyDelivery[] = [];
  #limit: number;
  #running = 0;

  /** @param onEnd Called once for each delivery, when nobody works on it any more. */
  constructor(receiver: Receiver, limit: number, onEnd: () => void) {
    this.#receiver = receiver;
    this.#limit = limit;
    this.#onEnd = onEnd;
  }

  /** Takes a delivery that the broker still knows. */
  add(delivery: EarlyDelivery): void {
    this.#waiting.push(delivery);
    this.#admit();
  }

  setLimit(limit: number): void {
    this.#limit = limit;
    this.#admit();
  }

  /** Gives the deliveries back that the receiver has not got, because nobody wants them any more. */
  giveBack(): void {
    for (const { tag, deliveryTag, proof } of this.#waiting.splice(0)) {
      tag.open--;
      proof.acknowledgements.settle(deliveryTag, "requeue");
      this.#onEnd();
    }
  }

  /** Forgets the deliveries that the receiver has not got, and that have gone back with their channel. */
  drop(proof: AckProof): void {
    for (const each of this.#waiting.splice(0)) {
      if (each.proof === proof) this.#onEnd();
      else this.#waiting.push(each);
    }
  }

  #admit(): void {
    while (this.#running < this.#limit && this.#waiting.length > 0) {
      void this.#handOver(this.#waiting.shift()!);
    }
  }

  async #handOver({ delivery, deliveryTag, tag, proof }: EarlyDelivery): Promise<void> {
    this.#running++;
    tag.open--;
    proof.acknowledgements.settle(deliveryTag, "ack");
    try {
      await proof.handled(tag.prefetch);
      await this.#receiver(delivery);
    } catch {
      // The channel has closed, or the receiver has broken its promise. Neither brings the message back.
    }
    this.#running--;
    this.#onEnd();
    this.#admit();
  }
}
