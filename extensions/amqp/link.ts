import { readFile } from "node:fs/promises";
import { nextTick } from "node:process";
import { setImmediate } from "node:timers";
import { BrokerError } from "../../runtime/message/errors.ts";
import { LONGEST_TIMER } from "../../runtime/waiting/abort.ts";
import type { Channel, ChannelModel, PublishChannel } from "./client_library.ts";
import {
  brokerSoftwareOf,
  brokerVersionOf,
  endOf,
  forgetUnsent,
  isOpen,
  loadClientLibrary,
  onViolation,
  socketOf,
  writeThrough,
} from "./client_library.ts";
import type { LinkOptions, TlsOptions } from "./link_options.ts";
import { connectionRefusal } from "./refusal.ts";
import { TickWriter } from "./tick_writer.ts";
import type { BrokerAddress } from "./uri.ts";

/**
 * One connection to the broker, from login to loss. A lost link never recovers: a new link takes its place.
 */
export class Link {
  readonly writer: TickWriter;
  /** Resolves when the connection has ended for any cause. The value is the reason. */
  readonly lost: Promise<Error>;
  readonly #model: ChannelModel;
  #alive = true;
  #blocked = false;
  #block = Promise.withResolvers<void>();
  #failure: Error | undefined;
  #refusal: Error | undefined;
  /** Number of tasks of the transport that use the link at present. */
  tasks = 0;
  #administration: Channel | undefined;
  #lastTask: Promise<unknown> = Promise.resolve();

  constructor(model: ChannelModel, onBlocked: LinkOptions["onBlocked"]) {
    this.#model = model;
    const report = reporter(onBlocked);
    model.on("blocked", (reason: string) => {
      this.#blocked = true;
      this.#block.resolve();
      report(reason);
    });
    model.on("unblocked", () => {
      this.#blocked = false;
      this.#block = Promise.withResolvers();
      report(undefined);
    });
    this.writer = new TickWriter(socketOf(model));
    this.lost = new Promise((resolve) => {
      const end = (error?: Error) => {
        this.#alive = false;
        socketOf(model).destroySoon();
        resolve(this.#failure ?? error ?? new Error("the connection was closed"));
      };
      model.on("error", (error: Error) => {
        if (isRefusal(error)) this.#refusal ??= error;
        this.#failure ??= error;
        // The library may still wait for the broker's consent to a close, for which it may wait for ever.
        nextTick(() => this.#alive && socketOf(model).destroy(error));
      });
      model.on("close", end);
      const ended = endOf(model);
      if (ended !== undefined) end(ended);
    });
  }

  /**
   * Connects and logs in. The options of the address win over `given`.
   *
   * @throws {BrokerError} If the broker cannot be reached or refuses us. If `signal` aborts, its reason is
   * thrown.
   */
  static async open(address: BrokerAddress, given: LinkOptions, signal: AbortSignal): Promise<Link> {
    const tls = { ...given.tls, ...address.options.tls };
    const options = { ...given, ...address.options, tls };
    const { connect, credentials } = await loadClientLibrary();
    signal.throwIfAborted();
    const { user, password } = address;
    // A socket obeys its signal as long as the socket lives. The caller's signal concerns the opening only,
    // so the socket gets a signal of this method.
    const opening = new AbortController();
    const giveUp = () => opening.abort(signal.reason);
    signal.addEventListener("abort", giveUp);
    // The library's own limit begins anew with each byte that the broker sends.
    const slow = new Error("connect ETIMEDOUT");
    const limit = options.connectTimeout === 0
      ? undefined
      : setTimeout(() => opening.abort(slow), Math.min(options.connectTimeout, LONGEST_TIMER));
    try {
      const model = await connect({
        protocol: address.secure ? "amqps" : "amqp",
        hostname: address.host,
        port: address.port,
        username: user,
        password,
        vhost: encodeURIComponent(address.vhost),
        heartbeat: options.heartbeat,
        channelMax: options.channelMax,
        frameMax: options.frameMax,
        locale: options.locale,
        // The library would otherwise buffer frames of 64 MiB, even if a smaller limit was agreed.
        ...(options.frameMax > 0 && { maxFrameSize: options.frameMax }),
      }, {
        noDelay: true,
        timeout: options.connectTimeout,
        clientProperties: { ...options.clientProperties },
        credentials: options.login === "EXTERNAL"
          ? credentials.external()
          : credentials[options.login === "PLAIN" ? "plain" : "amqplain"](user, password),
        ...(address.secure ? await readTlsFiles(options.tls) : {}),
        // Node's socket options include `signal`, but the library's type does not.
        ...{ signal: opening.signal },
      });
      const link = new Link(model, options.onBlocked);
      if (!link.alive) throw await link.lost;
      return link;
    } catch (error) {
      signal.throwIfAborted();
      const cause = opening.signal.reason === slow ? slow : error;
      throw connectionRefusal(cause, address, options.connectTimeout);
    } finally {
      clearTimeout(limit);
      signal.removeEventListener("abort", giveUp);
    }
  }

  /** Whether the connection is still open. */
  get alive(): boolean {
    return this.#alive;
  }

  /**
   * The broker's reason if it closed the connection to refuse something that this client sent. The same thing
   * would end the next connection, too.
   */
  get refusal(): Error | undefined {
    return this.#refusal;
  }

  /** Name and version of the broker, such as `RabbitMQ 4.1.0`; undefined if it does not say. */
  get software(): string | undefined {
    return brokerSoftwareOf(this.#model);
  }

  /** Whether the broker lets a consumer choose how long it waits for a verdict, as RabbitMQ does from 3.12 on. */
  get heedsConsumerTimeout(): boolean {
    const [major = 0, minor = 0] = brokerVersionOf(this.#model);
    return major > 3 || (major === 3 && minor >= 12);
  }

  /**
   * Resolves when the broker stops reading what we send, so that it answers nothing. As long as the broker
   * reads, this promise stays pending.
   */
  get blocked(): Promise<void> {
    return this.#block.promise;
  }

  /**
   * Opens a channel.
   *
   * A channel that closes by itself emits `close`. If the broker closed it to refuse something, it emits
   * `error` first.
   */
  async openChannel(): Promise<Channel> {
    return this.#prepare(await this.#model.createChannel());
  }

  /** Opens a channel for publishing. `confirms` says whether the broker confirms what is published there. */
  async openPublishChannel(confirms: boolean): Promise<PublishChannel> {
    const channel = confirms ? await this.#model.createConfirmChannel() : await this.#model.createChannel();
    return this.#prepare(channel) as PublishChannel;
  }

  /**
   * Runs a task on the channel for declarations. Tasks run one after the other.
   *
   * If the broker refuses something, it closes that channel and no other. The next task gets a new channel.
   */
  administer<T>(task: (channel: Channel) => Promise<T>): Promise<T> {
    const run = this.#lastTask.then(async () => {
      const channel = await this.#openAdministration();
      try {
        return await task(channel);
      } catch (error) {
        if (error instanceof TypeError || error instanceof RangeError) forgetUnsent(channel);
        throw this.#alive ? error : await this.lost;
      }
    });
    this.#lastTask = run.catch(() => {});
    return run;
  }

  /** Ends the connection because of a failure that only a new connection can repair. */
  async fail(reason: Error): Promise<void> {
    this.#failure ??= reason;
    await this.close(0);
  }

  /**
   * Closes politely, but destroys the socket if the broker does not answer.
   *
   * @param limit Milliseconds that the broker has to answer. A broker that does not read has none.
   */
  async close(limit: number): Promise<void> {
    const socket = socketOf(this.#model);
    this.writer.flush();
    const patience = this.#blocked ? 0 : limit;
    const timer = setTimeout(() => socket.destroy(new Error("the broker did not answer")), patience);
    try {
      if (this.#alive) await Promise.race([this.#model.close(), this.lost]).catch(() => {});
      if (!socket.destroyed) await new Promise<void>((resolve) => socket.once("close", () => resolve()));
    } finally {
      clearTimeout(timer);
    }
  }

  async #openAdministration(): Promise<Channel> {
    if (this.#administration === undefined || !isOpen(this.#administration)) {
      this.#administration = await this.openChannel();
    }
    return this.#administration;
  }

  /** @throws {Error} If the channel has closed since the broker opened it. */
  #prepare<C extends Channel>(channel: C): C {
    if (!isOpen(channel)) throw new Error("the broker closed the channel while it opened");
    // The code that waits for an answer on the channel gets the error too. Without a listener, the emitter
    // would throw the error.
    channel.on("error", () => {});
    onViolation(channel, (error) => void this.fail(error));
    writeThrough(channel, this.writer);
    return channel;
  }
}

/**
 * Makes a function that reports at most one state for all that arrives together, and nothing that is known: a
 * broker may change its mind thousands of times in one piece of bytes.
 */
function reporter(onBlocked: LinkOptions["onBlocked"]): (reason: string | undefined) => void {
  let reported: string | undefined;
  let latest: string | undefined;
  let isWaiting = false;
  const report = () => {
    isWaiting = false;
    if (latest === reported) return;
    reported = latest;
    onBlocked(latest);
  };
  return (reason) => {
    latest = reason;
    if (!isWaiting) setImmediate(report);
    isWaiting = true;
  };
}

/**
 * Returns whether an error is a close of the broker with a reply code that blames the client. A broker that
 * shuts down or whose operator closes the connection blames nobody (the library emits no error for these).
 */
function isRefusal(error: Error): boolean {
  return typeof (error as { readonly code?: unknown }).code === "number";
}

async function readTlsFiles(tls: TlsOptions): Promise<Record<string, unknown>> {
  const { ca, cert, key, passphrase, serverName, verify = true } = tls;
  const read = async (file: string) => {
    try {
      return await readFile(file, "utf8");
    } catch (cause) {
      throw new BrokerError(
        `Cannot read TLS file "${file}": ${(cause as Error).message}. Check the tls options`,
        {
          cause,
        },
      );
    }
  };
  return {
    rejectUnauthorized: verify,
    ...(ca === undefined ? {} : { ca: await read(ca) }),
    ...(cert === undefined ? {} : { cert: await read(cert) }),
    ...(key === undefined ? {} : { key: await read(key) }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}
