import { type Duration, requireDuration } from "../../runtime/waiting/duration.ts";
import { BrokerError } from "../../runtime/message/errors.ts";
import { type OptionNames, requireKnown } from "../../runtime/service/options/known_options.ts";
import { timeLimit } from "../../runtime/waiting/abort.ts";
import type { VhostManager } from "./vhost_managers.ts";

/** Options of {@linkcode rabbitmqVhost}. */
export interface RabbitmqVhostOptions {
  /** URI of the broker, whose vhost does not count. @default {"amqp://guest:guest@localhost:5672"} */
  readonly broker?: string;
  /**
   * URI of the management plugin, such as `http://user:password@host:15672`. With it, `rabbitmqctl` is not tried.
   *
   * @default {the host and the login of the broker's URI, port 15672, or port 15671 with TLS}
   */
  readonly management?: string;
  /** Milliseconds that each of the two steps, to make and to remove the vhost, may take. @default {30_000} */
  readonly timeout?: Duration;
  /** Aborting gives the making up. */
  readonly signal?: AbortSignal;
}

const OPTIONS: OptionNames<RabbitmqVhostOptions> = {
  broker: true,
  management: true,
  timeout: true,
  signal: true,
};

/** A vhost of RabbitMQ that one test has for itself. Disposing it removes it with all that it holds. */
export interface RabbitmqVhost extends AsyncDisposable {
  /** Name of the vhost at the broker. */
  readonly name: string;
  /** The broker's URI with this vhost, the first one of a list, for the option `broker` of `testServices()`, `run()` or `connect()`. */
  readonly uri: string;
}

/**
 * Makes a vhost of RabbitMQ for one test, as Nameko's fixture `rabbit_config` does.
 *
 * It asks the management plugin. If that does not answer and the broker is on this machine, it runs `rabbitmqctl`, which
 * needs the permission to run it and, mostly, to be the user `root` or `rabbitmq`.
 *
 * @throws {BrokerError} If neither of the two makes the vhost; the message has the reasons. Disposal throws it if the
 * vhost cannot be removed.
 * @throws {TypeError} If an option is not known, or a URI is none.
 * @throws {RangeError} If `timeout` is no duration.
 *
 * @example
 * ```ts ignore
 * import { rabbitmqVhost, testServices } from "@enoki/enoki/testing";
 *
 * await using vhost = await rabbitmqVhost();
 * await using app = await testServices([orders, mail], { broker: vhost.uri });
 * ```
 */
export async function rabbitmqVhost(options: RabbitmqVhostOptions = {}): Promise<RabbitmqVhost> {
  requireKnown("Cannot make a vhost", "rabbitmqVhost()", options, OPTIONS);
  const { broker = "amqp://guest:guest@localhost:5672", management, signal } = options;
  const timeout = requireDuration("Cannot make a vhost", "timeout", options.timeout ?? 30_000);
  const [{ parseBrokerUris, withVhost }, { vhostManagers }] = await Promise.all([
    import("../amqp/uri.ts"),
    import("./vhost_managers.ts"),
  ]);
  const [address] = parseBrokerUris(broker);
  const name = `enoki-test-${crypto.randomUUID()}`;
  const reasons: string[] = [];
  for (const manager of vhostManagers(address, management)) {
    using limit = timeLimit(timeout, signal);
    try {
      await manager.make(name, address.user, limit.signal);
      return vhostOf(name, withVhost(broker, name), manager, timeout);
    } catch (error) {
      // The broker may have made it, and refused the rest.
      await remove(manager, name, timeout).catch(() => {});
      signal?.throwIfAborted();
      reasons.push((error as Error).message);
    }
  }
  throw new BrokerError(
    `Cannot make a vhost at ${address.endpoint}: ${
      reasons.join("; ")
    }. Enable the plugin by rabbitmq-plugins ` +
      "enable rabbitmq_management, or run the test where rabbitmqctl may be run",
    { state: "unreachable" },
  );
}

async function remove(manager: VhostManager, name: string, timeout: number): Promise<void> {
  using limit = timeLimit(timeout);
  await manager.remove(name, limit.signal);
}

function vhostOf(name: string, uri: string, manager: VhostManager, timeout: number): RabbitmqVhost {
  let removing: Promise<void> | undefined;
  const removeOrTell = async () => {
    try {
      await remove(manager, name, timeout);
    } catch (error) {
      throw new BrokerError(`Cannot remove vhost "${name}": ${(error as Error).message}. Remove it by hand`, {
        cause: error,
      });
    }
  };
  return { name, uri, [Symbol.asyncDispose]: () => removing ??= removeOrTell() };
}
