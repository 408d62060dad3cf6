import type { Config } from "../runtime/config/file.ts";
import { getLog } from "../runtime/log/observe.ts";
import type { Transport } from "../runtime/message/transport.ts";
import { DEFAULT_BROKER, logStatus, openBroker } from "./broker.ts";
import { ControlClient } from "./control/control_client.ts";
import { Settings } from "./settings.ts";

/** A client of the control channel with its connection. Disposing it closes both. */
export interface ControlConnection extends AsyncDisposable {
  readonly client: ControlClient;
  readonly transport: Transport;
  /** URI of the broker, with its secrets; undefined if it is the broker of this machine that nobody named. */
  readonly uri: string | undefined;
  /** The settings of the configuration that named the broker. */
  readonly settings: Settings;
}

/**
 * Opens the control channel for a command.
 *
 * @param options.broker URI of the broker. @default {the broker that the configuration names, else RabbitMQ on
 * localhost, else `local:`}
 * @throws {BrokerError} If the broker cannot be reached. There is no second attempt.
 */
export async function openControl(
  { config, broker, signal }: {
    readonly config: Config;
    readonly broker?: string;
    readonly signal?: AbortSignal;
  },
): Promise<ControlConnection> {
  const log = getLog();
  const settings = await Settings.read(config);
  const transport = await openBroker({
    settings,
    purpose: "control",
    ...(broker !== undefined && { broker }),
    onStatus: logStatus(log),
    onFallback: (message) => log.debug(message),
    ...(signal && { signal }),
  });
  const client = new ControlClient(transport);
  const named = broker ?? settings.broker;
  return {
    client,
    transport,
    settings,
    uri: named ?? (transport.broker.startsWith("amqp:") ? DEFAULT_BROKER : undefined),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await transport.close();
    },
  };
}
