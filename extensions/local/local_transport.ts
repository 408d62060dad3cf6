/**
 * The processes of one machine share a memory broker through this transport.
 *
 * The invariant is that a transport which finds no listener on the socket hosts the broker. Every transport can
 * become the host, because each one remembers its declarations and its consumers. When the host goes, the others
 * compete for its place (`claim.ts`). Then each of them declares and consumes again, and publishes again the
 * messages that were not confirmed. The messages that waited in the memory of the old host are gone, whether that
 * host was killed or closed. The status `lost` reports this.
 *
 * After a loss the transports return one by one, so for a short time a queue may be missing only because its owner
 * is not back. During this time ({@linkcode RETURN}) a transport offers a message again if no queue takes it, and
 * repeats a declaration that needs a missing queue or exchange.
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
import { Intake } from "../memory/intake.ts";
import type { Link } from "../memory/link.ts";
import { seal, type SealedMessage } from "../memory/sealed_message.ts";
import { abortable, pause } from "../../runtime/waiting/abort.ts";
import { type GrowingDelay, growingDelay } from "../../runtime/waiting/growing_delay.ts";
import { openLocalLink } from "./local_link.ts";
import { socketPath } from "./socket_path.ts";
import { TopologyLedger } from "./topology_ledger.ts";

/** {@linkcode local} takes these options. */
export interface LocalOptions extends TransportOptions {
  /**
   * The address `local:` means the broker of this user, `local:NAME` means another broker of this user, and
   * `local:///path/to.sock` means the broker at that path.
   * @default {"local:"}
   */
  readonly address?: string;
}

/**
 * Makes a transport to the broker that the processes of this machine share, and that the first of them hosts.
 *
 * Messages live in the memory of the host. When the host closes or dies, another process takes over, and the
 * messages that waited are lost.
 *
 * @throws {ConfigurationError} If the address is not valid, or if the system is Windows.
 *
 * @example
 * ```ts ignore
 * import { local } from "@enoki/enoki/local";
 * import { run } from "@enoki/enoki/run";
 *
 * await using running = await run(["./orders.ts"], { broker: local({ address: "local:shop" }) });
 * ```
 */
export function local({ address = "local:", onStatus }: LocalOptions = {}): Transport {
  if (Deno.build.os === "windows") {
    throw new ConfigurationError(
      `Cannot use broker "${address}": the local broker does not run on Windows. Use RabbitMQ or memory:`,
    );
  }
  return new LocalTransport(socketPath(address), onStatus);
}

/** After a loss, a transport expects the others to return within this time, in milliseconds. */
const RETURN = 500;
/** A transport waits this long before it offers a message or a declaration again, in milliseconds. */
const OFFER = 20;
/** The waits before a transport tries again to return. */
const WAIT: GrowingDelay = { first: 50, longest: 1_000 };

class LocalTransport implements Transport {
  readonly broker: string;
  readonly #path: string;
  readonly #onStatus: TransportOptions["onStatus"];
  readonly #ledger = new TopologyLedger();
  readonly #intakes = new Set<Intake>();
  readonly #ended = new AbortController();
  #link: Link | undefined;
  /** This resolves with the next link, or rejects when the transport closes. */
  #next = nextLink();
  #connecting: Promise<void> | undefined;
  #recovering: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  /** Other transports may still return until this time of `performance.now()`. */
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
    await this.#overLink("declare", async (link) => await link.declare(topology));
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
    const intake = new Intake(queue, receiver, options, this.#intakes);
    await this.#overLink("consume", (link) => intake.resume(link));
    return intake;
  }

  async countMessages(queue: string): Promise<number | undefined> {
    return await this.#overLink("count messages", async (link) => await link.countMessages(queue));
  }

  async deleteQueue(name: string): Promise<void> {
    await this.#overLink("delete a queue", async (link) => await link.deleteQueue(name));
    this.#ledger.forgetQueue(name);
    for (const intake of this.#intakes) {
      if (intake.queue === name) await intake.cancel();
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
    // During an outage no host can confirm a message, so we wait only while there is a link
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
    for (const intake of this.#intakes) intake.close();
    this.#intakes.clear();
  }

  #adopt(link: Link): void {
    this.#link = link;
    if (link.lost) return this.#lose("the host of the broker has gone again");
    this.#next.resolve(link);
    this.#onStatus?.({ state: "connected", broker: this.broker });
  }

  #lose(reason: string): void {
    // The recovery under way takes care of a link that is lost while it restores that link
    if (this.#link === undefined) return;
    this.#link = undefined;
    this.#published?.();
    this.#next = nextLink();
    for (const intake of this.#intakes) intake.interrupt();
    this.#recovering = this.#recover(reason);
  }

  async #recover(reason: string): Promise<void> {
    for (let attempt = 0; !this.#ended.signal.aborted; attempt++) {
      const retryIn = attempt === 0 ? 0 : growingDelay(attempt, WAIT);
      this.#onStatus?.({ state: "lost", broker: this.broker, reason, retryIn: Math.round(retryIn) });
      let link: Link | undefined;
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

  /** Declares and consumes again, and repeats this while the others return. */
  async #restore(link: Link): Promise<void> {
    this.#returning = performance.now() + RETURN;
    const waiting = new Set(this.#intakes);
    for (;;) {
      try {
        await link.declare(this.#ledger.topology());
        for (const intake of waiting) {
          if (!intake.cancelled) await intake.resume(link);
          waiting.delete(intake);
        }
        return;
      } catch (error) {
        if (link.lost || performance.now() > this.#returning) throw error;
        await pause(OFFER, this.#ended.signal);
      }
    }
  }

  /** Publishes a message. While other transports return, it offers the message again if no queue takes it. */
  async #offer(link: Link, message: SealedMessage, signal: AbortSignal | undefined): Promise<void> {
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

  /** Acts over the present link or the next one, and acts again over another if that link is lost meanwhile. */
  async #overLink<T>(
    action: string,
    act: (link: Link) => Promise<T>,
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

function nextLink(): PromiseWithResolvers<Link> {
  const next = Promise.withResolvers<Link>();
  next.promise.catch(() => {});
  return next;
}
