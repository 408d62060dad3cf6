/**
 * The two publishers of a transport: one on a channel whose messages the broker confirms, and one on a channel
 * without confirms, for messages that may be lost.
 *
 * They need two channels, because on a channel with confirms the broker confirms every message. The channel
 * without confirms is opened when the first such message comes, and from then on with every link.
 */
import type { BrokerError } from "../../runtime/message/errors.ts";
import type { Message, TransportPublishOptions } from "../../runtime/message/transport.ts";
import type { Link } from "./link.ts";
import { Publisher, type PublisherOptions } from "./publisher.ts";

/** Publishes the messages of a transport. It outlives the links that it publishes on. */
export class Publishers {
  readonly #confirms: boolean;
  readonly #main: Publisher;
  /** Present from the first message on that needs no confirm. */
  #hasty: Publisher | undefined;
  /** The last link that messages may go to. */
  #link: Link | undefined;

  constructor(options: PublisherOptions) {
    this.#confirms = options.confirms;
    this.#main = new Publisher(options);
  }

  publish(message: Message, options?: TransportPublishOptions): Promise<void> {
    const publisher = options?.confirmed === false && this.#confirms ? this.#forHasty() : this.#main;
    return publisher.publish(message, options);
  }

  /** Sends on this link from now on. */
  async attach(link: Link): Promise<void> {
    link.writer.onDrain = () => {
      for (const publisher of this.#all()) publisher.pump();
    };
    await this.#open(link, this.#main, this.#confirms);
    // The two lines below belong together: whoever makes the other publisher later opens its channel.
    this.#link = link;
    if (this.#hasty !== undefined) this.#openOrFail(link, this.#hasty, false);
  }

  /** Resolves when no publication is in flight, and lets none be sent until the returned function is called. */
  async pause(): Promise<() => void> {
    const releases = await Promise.all(this.#all().map((publisher) => publisher.pause()));
    return () => {
      for (const release of releases) release();
    };
  }

  /** Resolves when no publication waits and none is unconfirmed. */
  async settled(): Promise<void> {
    await Promise.all(this.#all().map((publisher) => publisher.settled()));
  }

  /** Rejects all publications that are not settled. */
  close(reason: BrokerError): void {
    for (const publisher of this.#all()) publisher.close(reason);
  }

  #all(): readonly Publisher[] {
    return this.#hasty === undefined ? [this.#main] : [this.#main, this.#hasty];
  }

  #forHasty(): Publisher {
    if (this.#hasty === undefined) {
      this.#hasty = new Publisher({ confirms: false });
      if (this.#link?.alive) this.#openOrFail(this.#link, this.#hasty, false);
    }
    return this.#hasty;
  }

  async #open(link: Link, publisher: Publisher, confirms: boolean): Promise<void> {
    const channel = await link.openPublishChannel(confirms);
    publisher.attach(channel, link, () => this.#openOrFail(link, publisher, confirms));
  }

  #openOrFail(link: Link, publisher: Publisher, confirms: boolean): void {
    this.#open(link, publisher, confirms).catch((error) => link.fail(error));
  }
}
