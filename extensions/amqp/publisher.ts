/**
 * Publishes messages and learns the result of each.
 *
 * A publication is in one of two places until it is settled. `#waiting` has, in order, the publications that
 * cannot be sent now (there is no channel, or the socket is full). `#unconfirmed` has the sent publications
 * by their delivery tag. The broker confirms one tag, or all tags up to one. When the channel closes, all
 * unconfirmed publications go back to the front of `#waiting`, in order, and the publisher sends them again
 * on the next channel: at least once, never zero times. A publication that its caller gives up while it waits
 * is not sent any more, and its message is let go at once. As soon as such publications are more than half of
 * `#waiting`, the publisher removes them. So during an outage, `#waiting` has at most twice as many publications as callers wait for.
 *
 * A *return* (the message is mandatory, and no queue took it) comes before the confirm of the same message.
 * It carries the message, but not the delivery tag. So the publisher looks for the first unconfirmed
 * mandatory publication that looks the same: exchange, routing key, ids, headers and body. It could confuse
 * two publications that are the same in all of these, but nobody could notice the difference.
 *
 * A *refusal* (the exchange does not exist, the user may not write) closes the channel and does not say which
 * publication caused it. So all unconfirmed publications become suspects, and the publisher sends them again
 * one at a time. A suspect that is alone when the channel closes is the cause, and is rejected. The other
 * suspects succeed, and the broker gets each of them twice at worst.
 *
 * A worse refusal (the message makes no sense to the broker) closes the connection. The same rule applies, but
 * a connection may also be closed because of a declaration. So a publication must have been a suspect before,
 * and a suspect that is alone with a declaration is sent again, up to {@linkcode MOST_STRIKES} times.
 */

import { Buffer } from "node:buffer";
import { type BrokerError, UnroutableError } from "../../runtime/message/errors.ts";
import type { Message, TransportPublishOptions } from "../../runtime/message/transport.ts";
import { AbortWatch } from "./abort_watch.ts";
import { isOpen, type PublishChannel, type ReceivedMessage } from "./client_library.ts";
import type { Link } from "./link.ts";
import { refusal } from "./refusal.ts";
import type { TickWriter } from "./tick_writer.ts";
import { PendingMap } from "../../runtime/waiting/pending_map.ts";

interface Publication {
  message: Message;
  body: Buffer;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
  /** Removes the listener from the caller's signal. */
  unwatch: (() => void) | undefined;
  /** Takes the publication back while it waits. */
  readonly cancellation: TransportPublishOptions["cancellation"];
  /** Whether the publication is on the channel. */
  sent: boolean;
  settled: boolean;
  returned: boolean;
  /** Whether the publication was in flight when the broker refused a publication. A suspect is sent alone. */
  suspect: boolean;
  /** Number of connections that the broker has closed while this publication alone was in flight. */
  strikes: number;
  /** Whether the publication missed something that was declared again for it. */
  recovered: boolean;
}

/** Options of {@linkcode Publisher}. */
export interface PublisherOptions {
  readonly confirms: boolean;
  /**
   * Declares what a message has missed again: its exchange, or the queue that takes it. Gives undefined if
   * nobody declared that here.
   */
  readonly recover?: (message: Message, isExchangeGone: boolean) => Promise<void> | undefined;
}

/** The publishing half of a transport. It outlives the channels that it publishes on. */
export class Publisher {
  readonly #confirms: boolean;
  readonly #recover: PublisherOptions["recover"];
  #channel: PublishChannel | undefined;
  #writer: TickWriter | undefined;
  #waiting: Publication[] = [];
  /** Index in `#waiting` of the first publication that still waits. */
  #first = 0;
  /** Upper limit of the publications in `#waiting` that their callers have given up. */
  #givenUp = 0;
  readonly #unconfirmed = new PendingMap<number, Publication>();
  readonly #aborts = new AbortWatch<Publication>((publication, reason) => this.#giveUp(publication, reason));
  #lastTag = 0;
  /** Whether a suspect is in flight. Then no other publication may be sent. */
  #alone = false;
  /** Number of tasks that want no publication to be in flight. */
  #pauses = 0;
  /** The last task that paused the publisher. Such tasks run one after the other. */
  #lastPause: Promise<void> = Promise.resolve();
  #onLanded: (() => void) | undefined;
  /** Number of publications for which something is declared again. */
  #recovering = 0;
  #idle: (() => void) | undefined;

  constructor({ confirms, recover }: PublisherOptions) {
    this.#confirms = confirms;
    this.#recover = recover;
  }

  /** Publishes. Resolves on the broker's confirm, or, without confirms, when the message is on its way. */
  publish(message: Message, options: TransportPublishOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const { cancellation } = options;
      const { body } = message;
      const publication: Publication = {
        message,
        body: typeof body === "string" ? Buffer.from(body) : asBuffer(body),
        resolve,
        reject,
        unwatch: undefined,
        cancellation,
        sent: false,
        settled: false,
        returned: false,
        suspect: false,
        strikes: 0,
        recovered: false,
      };
      if (this.#first === this.#waiting.length && this.#maySend(publication)) this.#send(publication);
      else {
        this.#waiting.push(publication);
        this.#watchCancellation(publication);
      }
      if (cancellation !== undefined || publication.settled) return;
      const { signal } = options;
      if (signal !== undefined) publication.unwatch = this.#aborts.add(publication, signal);
    });
  }

  /**
   * Publishes on this channel from now on.
   *
   * @param onClosed Called when the channel has closed and the link is alive.
   */
  attach(channel: PublishChannel, link: Link, onClosed: () => void): void {
    if (!isOpen(channel)) throw new Error("the broker closed the channel for publishing while it opened");
    let refused: Error | undefined;
    channel.on("ack", ({ deliveryTag, multiple }) => this.#confirmed(deliveryTag, multiple, undefined));
    channel.on("nack", ({ deliveryTag, multiple }) => {
      this.#confirmed(deliveryTag, multiple, new Error("the broker did not take the message (nack)"));
    });
    channel.on("return", (message) => this.#returned(message));
    channel.on("error", (error) => refused = error);
    channel.on("close", () => {
      if (link.refusal !== undefined) this.#convict(link.refusal, link.tasks > 0);
      this.#detach(refused);
      // A connection closes its channels before it says that it has ended itself.
      queueMicrotask(() => {
        if (link.alive) onClosed();
      });
    });
    this.#channel = channel;
    this.#writer = link.writer;
    this.#lastTag = 0;
    this.pump();
  }

  /**
   * Resolves when no publication is in flight, and lets none be sent until the returned function is called.
   */
  async pause(): Promise<() => void> {
    this.#pauses++;
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#lastPause;
    this.#lastPause = promise;
    await before;
    if (this.#unconfirmed.size > 0) await new Promise<void>((landed) => this.#onLanded = landed);
    return () => {
      resolve();
      if (--this.#pauses === 0) this.pump();
    };
  }

  /** Sends the publications that wait, until the socket is full. */
  pump(): void {
    for (; this.#first < this.#waiting.length; this.#first++) {
      const publication = this.#waiting[this.#first]!;
      if (publication.settled) continue;
      if (!this.#maySend(publication)) break;
      this.#send(publication);
    }
    if (this.#first > this.#waiting.length / 2) this.#compact();
  }

  /** Resolves when no publication waits and none is unconfirmed. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle = resolve;
      this.#notifyIdle();
    });
  }

  /** Rejects all publications that are not settled. */
  close(reason: BrokerError): void {
    this.#detach(undefined);
    for (const publication of this.#waiting) settle(publication, reason);
    this.#compact();
  }

  #watchCancellation(publication: Publication): void {
    publication.cancellation?.onCancel(() => {
      if (!publication.sent && !publication.settled) {
        this.#giveUp(publication, new DOMException("The message was taken back", "AbortError"));
      }
    });
  }

  #giveUp(publication: Publication, reason: unknown): void {
    settle(publication, reason);
    if (!publication.sent) {
      publication.message = LET_GO;
      publication.body = EMPTY;
    }
    if (++this.#givenUp > (this.#waiting.length - this.#first) / 2) this.#compact();
  }

  /** Removes from `#waiting` all publications that are settled or sent. */
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
    if (this.#channel === undefined || this.#pauses > 0 || this.#writer!.full) return false;
    return this.#unconfirmed.size === 0 || !(publication.suspect || this.#alone);
  }

  #send(publication: Publication): void {
    const { message } = publication;
    try {
      this.#channel!.sendMessage(message, message.properties, publication.body);
    } catch (error) {
      // The library throws if it cannot encode a message, and does so before it writes any part of the
      // message.
      settle(publication, error);
      return;
    }
    publication.sent = true;
    this.#alone = publication.suspect;
    if (this.#confirms) this.#unconfirmed.set(++this.#lastTag, publication);
    else settle(publication, undefined);
  }

  #confirmed(deliveryTag: number, multiple: boolean, refused: Error | undefined): void {
    if (multiple) {
      for (const [tag, publication] of this.#unconfirmed) {
        if (tag > deliveryTag) break;
        this.#unconfirmed.delete(tag);
        this.#conclude(publication, refused);
      }
    } else {
      const publication = this.#unconfirmed.get(deliveryTag);
      this.#unconfirmed.delete(deliveryTag);
      if (publication !== undefined) this.#conclude(publication, refused);
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
    // A header may change on its way (an integer that no number holds exactly). It must not hide the return.
    if (sameAddress !== undefined) sameAddress.returned = true;
  }

  /**
   * Makes suspects of the publications that are in flight, or rejects the one that is the cause.
   *
   * @param refused The broker's reason for closing the connection.
   * @param busy Whether a declaration may be the cause, too.
   */
  #convict(refused: Error, busy: boolean): void {
    const [only] = this.#unconfirmed.values();
    if (only?.suspect && this.#unconfirmed.size === 1 && (++only.strikes >= MOST_STRIKES || !busy)) {
      this.#unconfirmed.clear();
      conclude(only, refused);
    }
    for (const publication of this.#unconfirmed.values()) publication.suspect = true;
  }

  /**
   * Takes back the publications that are unconfirmed on the channel.
   *
   * @param refused The broker's refusal, if one of these publications caused it.
   */
  #detach(refused: Error | undefined): void {
    this.#channel = undefined;
    const unconfirmed = [...this.#unconfirmed.values()];
    this.#unconfirmed.clear();
    if (refused !== undefined && unconfirmed.length === 1) {
      this.#conclude(unconfirmed.pop()!, refused);
    }
    for (const publication of unconfirmed) {
      publication.sent = false;
      publication.returned = false;
      publication.suspect ||= refused !== undefined;
    }
    this.#waiting = [...unconfirmed, ...this.#waiting.slice(this.#first)];
    this.#first = 0;
    this.#compact();
    for (const publication of unconfirmed) this.#watchCancellation(publication);
  }

  /** Settles a publication by the broker's answer, or sends it again when what it missed is declared again. */
  #conclude(publication: Publication, refused: Error | undefined): void {
    const isMissed = refused === undefined ? publication.returned : isMissing(refused);
    if (!isMissed || publication.recovered || publication.settled) return conclude(publication, refused);
    const recovering = this.#recover?.(publication.message, refused !== undefined);
    if (recovering === undefined) return conclude(publication, refused);
    publication.recovered = true;
    this.#recovering++;
    recovering.then(() => {
      publication.returned = false;
      this.#waiting.push(publication);
    }, (error) => settle(publication, error)).finally(() => {
      this.#recovering--;
      this.pump();
      this.#notifyIdle();
    });
  }

  #notifyIdle(): void {
    if (this.#onLanded !== undefined && this.#unconfirmed.size === 0) this.#onLanded();
    if (this.#idle === undefined || this.#recovering > 0) return;
    if (this.#unconfirmed.size === 0 && this.#waiting.length === 0) this.#idle();
  }
}

const EMPTY = Buffer.alloc(0);

/** Stands for a message that its caller has given up. */
const LET_GO: Message = { exchange: "", routingKey: "", body: "", properties: {} };

/** Number of lost connections after which a suspect that was alone with a declaration counts as the cause. */
const MOST_STRIKES = 3;

function isMissing(refused: Error): boolean {
  return (refused as { readonly code?: unknown }).code === 404;
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
