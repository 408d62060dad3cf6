/**
 * Connects services to the host half of messaging, as far as {@linkcode BrokerAccess} lets them.
 *
 * All services of a process share the names of the queues without a name, and the desk that sends their requests.
 */
import type { DependencySetup, EntrypointFactory } from "../runtime/hosting/host.ts";
import type { Transport } from "../runtime/message/transport.ts";
import type { Clock } from "../runtime/waiting/clock.ts";
import { Lazy } from "../runtime/waiting/lazy.ts";
import type { BrokerAccess } from "./broker_access.ts";
import type { Settings } from "./settings.ts";

/** Options of {@linkcode MessagingWiring}. */
export interface MessagingWiringOptions {
  readonly settings: Settings;
  /** Gives what a service may use of the broker. */
  readonly accessOf: (service: string) => BrokerAccess;
  /** Gives the transport. Nobody asks for it before it is connected. */
  readonly transport: () => Transport;
  /** Tells when the time of a request is up. */
  readonly clock: Clock;
}

/** The host half of messaging, which is loaded when a service first uses it. Disposing it ends all requests. */
export class MessagingWiring implements Disposable {
  readonly #options: MessagingWiringOptions;
  readonly #names = new Lazy(async () => new (await import("./messaging/queue_names.ts")).QueueNames());
  readonly #desk = new Lazy(async () => {
    const { ReplyDesk } = await import("./messaging/reply_desk.ts");
    return new ReplyDesk(this.#options.transport(), this.#options.clock);
  });

  constructor(options: MessagingWiringOptions) {
    this.#options = options;
  }

  /** Loads what makes the hosts of the kind `consume`. */
  async loadConsume(): Promise<EntrypointFactory> {
    const [{ consumedQueues, createConsumeHost }, names, exchange] = await Promise.all([
      import("./messaging/host.ts"),
      this.#names.get(),
      this.#rpcExchange(),
    ]);
    return (entries, host) => {
      const access = this.#options.accessOf(host.service);
      for (const { queue, topology } of consumedQueues(entries)) {
        if (queue !== undefined) access.requireQueue(queue);
        access.requireTopology(topology, exchange);
      }
      return createConsumeHost(entries, host, {
        names,
        requireReply: (message) => access.requireReply(message),
      });
    };
  }

  /** The kinds of dependencies. */
  readonly dependencies: Readonly<Record<string, DependencySetup>> = {
    publisher: async (dependency, host) => {
      const { setUpPublisher } = await this.#loadHostFor(dependency, host);
      await setUpPublisher(dependency, host);
    },
    queueName: async (dependency, host) => {
      const { setUpQueueName } = await this.#loadHostFor(dependency, host);
      return await setUpQueueName(dependency, host, await this.#names.get());
    },
    requester: async (dependency, host) => {
      await this.#loadHostFor(dependency, host);
      const { setUpRequester } = await import("./messaging/requester_host.ts");
      const access = this.#options.accessOf(host.service);
      const requireMessage = access.limitsPublishing
        ? (message: Parameters<BrokerAccess["requireMessage"]>[0]) => access.requireMessage(message)
        : undefined;
      return await setUpRequester(dependency, host, await this.#desk.get(), requireMessage);
    },
  };

  [Symbol.dispose](): void {
    this.#desk.value?.[Symbol.dispose]();
  }

  /** @throws {ConfigurationError} If the service may not declare what the dependency needs. */
  async #loadHostFor(...[dependency, { service }]: Parameters<DependencySetup>) {
    const [host, exchange] = await Promise.all([import("./messaging/host.ts"), this.#rpcExchange()]);
    this.#options.accessOf(service).requireTopology(host.declaredTopology(dependency), exchange);
    return host;
  }

  async #rpcExchange(): Promise<string> {
    const { rpcSettings } = await import("./rpc/settings.ts");
    return this.#options.settings.of(rpcSettings).exchange;
  }
}
