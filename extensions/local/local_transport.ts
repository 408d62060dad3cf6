/**
 * The memory broker shared by the processes of one machine.
 *
 * The invariant: whoever finds nobody listening on the socket hosts the broker, and every transport can become
 * the host, because each remembers what it declared and consumes. When the host goes, the others race for its
 * place (`claim.ts`), and each declares, consumes and publishes again what is its own. What waited in the memory
 * of the old host is gone, whether it was killed or closed; that is what `lost` reports.
 *
 * After a loss the transports return one by one, so for a short while a queue may be missing only because its
 * owner is not back. Until then ({@linkcode RETURN}) a message that nobody takes is offered again, and a
 * declaration that needs what is missing is repeated.
 */
import type {
  ConsumeOptions,
  Consumer,
  Message,
  Receiver,
  Topology,
  Transport,
  TransportOptions,
} from "../../runtime/message/transport.ts";
import { BrokerError, ConfigurationError } from "../../runtime/message/errors.ts";
import { assertPrefetch, Intake } from "../memory/intake.ts";
import { seal, type SealedMessage } from "../memory/sealed_message.ts";
import { abortable, pause } from "../../runtime/waiting/abort.ts";
import { type LocalLink, openLocalLink } from "./local_link.ts";
import { socketPath } from "./socket_path.ts";
import { TopologyLedger } from "./topology_ledger.ts";

/** Options of {@linkcode local}. */
export interface LocalOptions extends TransportOptions {
  /**
   * `local:` for the broker of this user, `local:NAME` for another of this user, `local:///path/to.sock` for one
   * at a path.
   * @default {"local:"}
   */
  readonly address?: string;
}

/**
 * A transport to the broker that the processes of this machine share, hosted by the first of them.
 *
 * Messages live in the memory of the host: when it closes or dies another takes over, and what waited is lost.
 *
 * @throws {ConfigurationError} If the address makes no sense, or on Windows.
 */
export function local({ address = "local:", onStatus }: LocalOptions = {}): Transport {
  if (Deno.build.os === "windows") {
    throw new ConfigurationError(
      `Cannot use broker "${address}": Windows is not supported. Use RabbitMQ or memory:`,
    );
  }
  return new LocalTransport(socketPath(address), onStatus);
}

/** How long the others may take to return after a loss, in milliseconds. */
const RETURN = 500;
/** Between two offers of a message that nobody takes yet, in milliseconds. */
const OFFER = 20;
/** The longest wait before another attempt to return, in milliseconds. */
const LONGEST_WAIT = 1_000;

interface Consumption {
  readonly queue: string;
  readonly options: ConsumeOptions;
}

class LocalTransport implements Transport {
  readonly broker: string;
  readonly #path: string;
  readonly #onStatus: TransportOptions["onStatus"];
  readonly #ledger = new TopologyLedger();
  readonly #intakes = new Map<Intake, Consumption>();
  readonly #ended = new AbortController();
  #link: LocalLink | undefined;
  /** Settles with the next link, or with the end. */
  #next = nextLink();
  #connecting: Promise<void> | undefined;
  #recovering: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  /** Until when others may be on their way back, on the clock of `performance.now()`. */
  #returning = 0;
  #publishing = 0;
  #published: (() => void) | undefined;

  constructor(path: string, onStatus: TransportOptions["onStatus"]) {
    this.#path = path;
    this.#onStatus = onStatus;
    this.broker = `local://${path}`;
  }

  connect({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.#connecting ??= this.#connect(signal).catch((error) => {
      this.#connecting = undefined;
      throw error;
    });
  }

  async declare(topology: Topology): Promise<void> {
    await this.#overLink("declare", (link) => link.declare(topology));
    this.#ledger.remember(topology);
  }

  async publish(message: Message, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    const sealed = seal(message);
    this.#publishing++;
    try {
      await this.#overLink("publish", (link) => this.#offer(link, sealed, signal), signal);
    } finally {
      if (--this.#publishing === 0) this.#published?.();
    }
  }

  async consume(queue: string, receiver: Receiver, options: ConsumeOptions): Promise<Consumer> {
    assertPrefetch(options.prefetch);
    const intake = new Intake(receiver, options.prefetch, (stopped) => this.#intakes.delete(stopped));
    await this.#overLink("consume", (link) => this.#feed(link, intake, { queue, options }));
    return intake;
  }

  async countMessages(queue: string): Promise<number | undefined> {
    return await this.#overLink("count messages", (link) => link.countMessages(queue));
  }

  async deleteQueue(name: string): Promise<void> {
    await this.#overLink("delete a queue", (link) => link.deleteQueue(name));
    this.#ledger.forgetQueue(name);
    for (const [intake, { queue }] of this.#intakes) {
      if (queue === name) await intake.cancel();
    }
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #connect(signal: AbortSignal | undefined): Promise<void> {
    this.#refuseClosed("connect");
    const either = signal === undefined ? this.#ended.signal : AbortSignal.any([signal, this.#ended.signal]);
    this.#adopt(await openLocalLink(this.#path, (reason) => this.#lose(reason), either));
  }

  async #close(): Promise<void> {
    // What an outage keeps from being confirmed is not waited for
    if (this.#link !== undefined && this.#publishing > 0) {
      await new Promise<void>((resolve) => this.#published = resolve);
    }
    const closed = new BrokerError(`Cannot use ${this.broker}: the transport is closed. Make a new one`);
    this.#ended.abort(closed);
    this.#next.reject(closed);
    await this.#connecting?.catch(() => {});
    await this.#recovering;
    const link = this.#link;
    this.#link = undefined;
    await link?.close();
    for (const intake of this.#intakes.keys()) intake.close();
    this.#intakes.clear();
  }

  #adopt(link: LocalLink): void {
    this.#link = link;
    if (link.lost) return this.#lose("its host has gone again");
    this.#next.resolve(link);
    this.#onStatus?.({ state: "connected", broker: this.broker });
  }

  #lose(reason: string): void {
    // A link that is lost while it is being restored is the business of the recovery under way
    if (this.#link === undefined) return;
    this.#link = undefined;
    this.#published?.();
    this.#next = nextLink();
    for (const [intake, { options }] of this.#intakes) {
      if (!intake.cancelled) options.onInterrupted?.();
    }
    this.#recovering = this.#recover(reason);
  }

  async #recover(reason: string): Promise<void> {
    for (let attempt = 0; !this.#ended.signal.aborted; attempt++) {
      const retryIn = attempt === 0
        ? 0
        : Math.min(LONGEST_WAIT, 2 ** attempt * 25) * (0.5 + Math.random() / 2);
      this.#onStatus?.({ state: "lost", broker: this.broker, reason, retryIn: Math.round(retryIn) });
      let link: LocalLink | undefined;
      try {
        await pause(retryIn, this.#ended.signal);
        link = await openLocalLink(this.#path, (reason) => this.#lose(reason), this.#ended.signal);
        await this.#restore(link);
        return this.#adopt(link);
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
        await link?.close();
      }
    }
  }

  /** Declares and consumes again, as often as it takes for the others to return. */
  async #restore(link: LocalLink): Promise<void> {
    this.#returning = performance.now() + RETURN;
    const waiting = new Map(this.#intakes);
    for (;;) {
      try {
        await link.declare(this.#ledger.topology());
        for (const [intake, consumption] of waiting) {
          if (!intake.cancelled) await this.#feed(link, intake, consumption);
          waiting.delete(intake);
        }
        return;
      } catch (error) {
        if (link.lost || performance.now() > this.#returning) throw error;
        await pause(OFFER, this.#ended.signal);
      }
    }
  }

  async #feed(link: LocalLink, intake: Intake, { queue, options }: Consumption): Promise<void> {
    const { prefetch } = intake;
    const feed = await link.consume(queue, intake.take, { ...options, prefetch });
    this.#intakes.set(intake, { queue, options });
    await intake.attach(feed, prefetch);
  }

  /** Publishes; while others are on their way back, a message that nobody takes is offered again. */
  async #offer(link: LocalLink, message: SealedMessage, signal: AbortSignal | undefined): Promise<void> {
    while (performance.now() < this.#returning) {
      try {
        return await link.publish({ ...message, mandatory: true });
      } catch (error) {
        if (link.lost) throw error;
        await pause(OFFER, signal);
      }
    }
    await link.publish(message);
  }

  /** Does something over the link there is or the next one, and again if that is lost meanwhile. */
  async #overLink<T>(
    action: string,
    act: (link: LocalLink) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    this.#refuseClosed(action);
    for (;;) {
      const link = this.#link ?? await abortable(this.#next.promise, signal);
      try {
        return await abortable(act(link), signal);
      } catch (error) {
        if (!link.lost || signal?.aborted || this.#ended.signal.aborted) throw error;
      }
    }
  }

  #refuseClosed(action: string): void {
    const refuse = (state: string) => new BrokerError(`Cannot ${action} through ${this.broker}: ${state}`);
    if (this.#closing !== undefined) throw refuse("the transport is closed. Make a new one");
    if (this.#connecting === undefined && action !== "connect") {
      throw refuse("the transport is not connected. Call connect() first");
    }
  }
}

function nextLink(): PromiseWithResolvers<LocalLink> {
  const next = Promise.withResolvers<LocalLink>();
  next.promise.catch(() => {});
  return next;
}
