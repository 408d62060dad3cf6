/**
 * Publishes messages and learns what became of each.
 *
 * A publication is in one of two places until it is settled: `#waiting`, in order, when it cannot be sent now
 * (no channel, or the socket is full), or `#unconfirmed`, by its delivery tag, once it is sent. The broker
 * confirms tags one by one or all up to one. When the channel goes, everything unconfirmed goes back to the
 * front of `#waiting`, in order, and is sent again on the next channel: at least once, never zero times. One that
 * its caller gives up while it waits is not sent any more; as soon as these are the most of `#waiting` they are
 * taken out, so that an outage holds at most twice what somebody waits for.
 *
 * A *return* (mandatory, and no queue took it) precedes the confirm of the same message, but does not carry the
 * delivery tag, only the message. It is matched to the first unconfirmed mandatory publication that looks the
 * same: exchange, routing key, ids, headers and body. Two that are the same in all of these could be confused
 * with each other, and nobody could tell.
 *
 * A *refusal* (the exchange does not exist, the user may not write) closes the channel without saying which
 * publication was at fault. So those that were unconfirmed become suspects and are sent again one at a time: the
 * one that is alone when the channel closes is guilty and rejected; the others go through, at worst twice.
 */

import { Buffer } from "node:buffer";
import { type BrokerError, UnroutableError } from "../../runtime/message/errors.ts";
import type { Message } from "../../runtime/message/transport.ts";
import type { PublishChannel, ReceivedMessage } from "./client_library.ts";
import { refusal } from "./refusal.ts";
import type { TickWriter } from "./tick_writer.ts";

interface Publication {
  readonly message: Message;
  readonly body: Buffer;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
  /** Stops listening to the caller's signal. */
  unwatch: (() => void) | undefined;
  settled: boolean;
  returned: boolean;
  /** Was in flight when the broker refused one, so it is sent alone. */
  suspect: boolean;
}

/** The publishing half of a transport; outlives the channels it publishes on. */
export class Publisher {
  readonly #confirms: boolean;
  #channel: PublishChannel | undefined;
  #writer: TickWriter | undefined;
  #waiting: Publication[] = [];
  /** Where in `#waiting` the first publication is that waits. */
  #first = 0;
  /** How many of `#waiting` may have been given up, at most. */
  #givenUp = 0;
  readonly #unconfirmed = new Map<number, Publication>();
  #lastTag = 0;
  /** Whether a suspect is in flight, which must stay alone. */
  #alone = false;
  #idle: (() => void) | undefined;

  constructor({ confirms }: { readonly confirms: boolean }) {
    this.#confirms = confirms;
  }

  /** Resolves on the broker's confirm, or without confirms when the message is on its way. */
  publish(message: Message, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const { body } = message;
      const publication: Publication = {
        message,
        body: typeof body === "string" ? Buffer.from(body) : asBuffer(body),
        resolve,
        reject,
        unwatch: undefined,
        settled: false,
        returned: false,
        suspect: false,
      };
      if (signal !== undefined) this.#watch(publication, signal);
      if (this.#first === this.#waiting.length && this.#maySend(publication)) this.#send(publication);
      else this.#waiting.push(publication);
    });
  }

  /** Publishes on this channel from now on; `onRefused` is called when the broker has closed it for a fault. */
  attach(channel: PublishChannel, writer: TickWriter, onRefused: () => void): void {
    let refused: Error | undefined;
    channel.on("ack", ({ deliveryTag, multiple }) => this.#confirmed(deliveryTag, multiple, undefined));
    channel.on("nack", ({ deliveryTag, multiple }) => {
      this.#confirmed(deliveryTag, multiple, new Error("the broker did not take the message (nack)"));
    });
    channel.on("return", (message) => this.#returned(message));
    channel.on("error", (error) => refused = error);
    channel.on("close", () => {
      this.#detach(refused);
      if (refused !== undefined) onRefused();
    });
    this.#channel = channel;
    this.#writer = writer;
    this.#lastTag = 0;
    this.pump();
  }

  /** Sends what waits, as far as the socket is not full. */
  pump(): void {
    for (; this.#first < this.#waiting.length; this.#first++) {
      const publication = this.#waiting[this.#first]!;
      if (publication.settled) continue;
      if (!this.#maySend(publication)) break;
      this.#send(publication);
    }
    if (this.#first > this.#waiting.length / 2) this.#compact();
  }

  /** Resolves when nothing waits and nothing is unconfirmed. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle = resolve;
      this.#notifyIdle();
    });
  }

  /** Rejects whatever is not settled. */
  close(reason: BrokerError): void {
    this.#detach(undefined);
    for (const publication of this.#waiting) settle(publication, reason);
    this.#compact();
  }

  #watch(publication: Publication, signal: AbortSignal): void {
    const onAbort = () => {
      settle(publication, signal.reason);
      if (++this.#givenUp > (this.#waiting.length - this.#first) / 2) this.#compact();
    };
    publication.unwatch = () => signal.removeEventListener("abort", onAbort);
    signal.addEventListener("abort", onAbort, { once: true });
  }

  /** Lets go of all in `#waiting` that waits no more. */
  #compact(): void {
    const waiting: Publication[] = [];
    for (let place = this.#first; place < this.#waiting.length; place++) {
      const publication = this.#waiting[place]!;
      if (!publication.settled) waiting.push(publication);
    }
    this.#waiting = waiting;
    this.#first = 0;
    this.#givenUp = 0;
    this.#notifyIdle();
  }

  #maySend(publication: Publication): boolean {
    if (this.#channel === undefined || this.#writer!.full) return false;
    return this.#unconfirmed.size === 0 || !(publication.suspect || this.#alone);
  }

  #send(publication: Publication): void {
    const { message } = publication;
    try {
      this.#channel!.sendMessage(message, message.properties, publication.body);
    } catch (error) {
      // What cannot be encoded is thrown before anything of it is written.
      settle(publication, error);
      return;
    }
    this.#alone = publication.suspect;
    if (this.#confirms) this.#unconfirmed.set(++this.#lastTag, publication);
    else settle(publication, undefined);
  }

  #confirmed(deliveryTag: number, multiple: boolean, refused: Error | undefined): void {
    if (multiple) {
      for (const [tag, publication] of this.#unconfirmed) {
        if (tag > deliveryTag) break;
        this.#unconfirmed.delete(tag);
        conclude(publication, refused);
      }
    } else {
      const publication = this.#unconfirmed.get(deliveryTag);
      this.#unconfirmed.delete(deliveryTag);
      if (publication !== undefined) conclude(publication, refused);
    }
    if (this.#waiting.length > 0) this.pump();
    this.#notifyIdle();
  }

  #returned(returned: ReceivedMessage): void {
    let sameAddress: Publication | undefined;
    for (const publication of this.#unconfirmed.values()) {
      const { message } = publication;
      if (!message.mandatory || publication.returned) continue;
      if (message.exchange !== returned.fields.exchange) continue;
      if (message.routingKey !== returned.fields.routingKey) continue;
      if (looksLike(publication, returned)) {
        publication.returned = true;
        return;
      }
      sameAddress ??= publication;
    }
    // A header that changes on its way (an integer that no number holds exactly) must not hide the return.
    if (sameAddress !== undefined) sameAddress.returned = true;
  }

  /** Takes back what the channel had unconfirmed; `refused` says that one of these was at fault. */
  #detach(refused: Error | undefined): void {
    this.#channel = undefined;
    const unconfirmed = [...this.#unconfirmed.values()];
    this.#unconfirmed.clear();
    if (refused !== undefined && unconfirmed.length === 1) {
      conclude(unconfirmed.pop()!, refused);
    }
    for (const publication of unconfirmed) {
      publication.returned = false;
      publication.suspect ||= refused !== undefined;
    }
    this.#waiting = [...unconfirmed, ...this.#waiting.slice(this.#first)];
    this.#first = 0;
    this.#compact();
  }

  #notifyIdle(): void {
    if (this.#idle !== undefined && this.#unconfirmed.size === 0 && this.#waiting.length === 0) this.#idle();
  }
}

/** Settles a publication by the broker's answer. */
function conclude(publication: Publication, refused: Error | undefined): void {
  const { exchange, routingKey } = publication.message;
  if (refused !== undefined) settle(publication, refusal(`publish to exchange "${exchange}"`, refused));
  else settle(publication, publication.returned ? new UnroutableError(exchange, routingKey) : undefined);
}

function settle(publication: Publication, error: unknown): void {
  if (publication.settled) return;
  publication.settled = true;
  publication.unwatch?.();
  if (error === undefined) publication.resolve();
  else publication.reject(error);
}

function looksLike({ message: { properties }, body }: Publication, returned: ReceivedMessage): boolean {
  return properties.correlationId === returned.properties.correlationId &&
    properties.messageId === returned.properties.messageId &&
    JSON.stringify(properties.headers ?? {}) === JSON.stringify(returned.properties.headers ?? {}) &&
    body.equals(returned.content);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
