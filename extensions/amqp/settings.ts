import type { Section, SettingTable } from "../../runtime/config/section.ts";
import { isRecord, type Plain } from "../../runtime/message/plain.ts";
import type { LoginMethod, TlsOptions } from "./link_options.ts";
import type { DefaultQueueType } from "./queue_type.ts";
import type { AmqpOptions } from "./transport.ts";

/** Settings of the connection to RabbitMQ, as the configuration states them. */
export interface AmqpSettings {
  /** Only the options that the configuration sets. The transport has the defaults of the others. */
  readonly options: AmqpOptions;
  /** Whether the connection uses TLS even if the scheme of the URI does not say so, as with Nameko. */
  readonly secure: boolean;
  /** URI of RabbitMQ's management plugin. Only commands use it. */
  readonly management: string | undefined;
}

const VERIFY = new Map<Plain, boolean>([
  [0, false],
  [1, true],
  [2, true],
  ["CERT_NONE", false],
  ["CERT_OPTIONAL", true],
  ["CERT_REQUIRED", true],
]);

/**
 * Reads `HEARTBEAT`, `LOGIN_METHOD`, `AMQP_SSL`, `AMQP_MANAGEMENT_URI`, `queue_type` and `TRANSPORT_OPTIONS`.
 *
 * `TRANSPORT_OPTIONS` takes Kombu's `interval_start`, `interval_step` and `interval_max`. Its `max_retries`
 * has no effect: the transport waits until an outage ends, however long the outage takes. `check_interval`,
 * `consumer_timeout` and `outcome_memory` are Enoki's own.
 *
 * @throws {ConfigurationError} If a key has a value that it does not take.
 */
export function amqpSettings(at: Section): AmqpSettings {
  const heartbeat = at.milliseconds("HEARTBEAT");
  const login = at.text("LOGIN_METHOD");
  const tls = tlsOptions(at);
  const queueType = at.text("queue_type", /^(?:classic|quorum)$/, "classic or quorum");
  const management = at.text("AMQP_MANAGEMENT_URI", /^https?:\/\/./, "an http:// or https:// URI");
  const transport = at.section("TRANSPORT_OPTIONS");
  const retryStart = transport?.milliseconds("interval_start");
  const retryStep = transport?.milliseconds("interval_step");
  const retryLimit = transport?.milliseconds("interval_max");
  const checkInterval = transport?.milliseconds("check_interval");
  const consumerTimeout = transport?.milliseconds("consumer_timeout");
  const outcomeMemory = transport?.milliseconds("outcome_memory");
  return {
    secure: tls !== undefined,
    management,
    options: {
      ...(heartbeat !== undefined && { heartbeat: heartbeat / 1_000 }),
      ...(login !== undefined && { login: login as LoginMethod }),
      ...(tls && { tls }),
      ...(queueType !== undefined && { queueType: queueType as DefaultQueueType }),
      ...(retryStart !== undefined && { retryStart }),
      ...(retryStep !== undefined && { retryStep }),
      ...(retryLimit !== undefined && { retryLimit }),
      ...(checkInterval !== undefined && { checkInterval }),
      ...(consumerTimeout !== undefined && { consumerTimeout }),
      ...(outcomeMemory !== undefined && { outcomeMemory }),
    },
  };
}

function tlsOptions(at: Section): TlsOptions | undefined {
  const value = at.get("AMQP_SSL");
  if (value === undefined || value === false) return undefined;
  if (value === true) return { verify: true };
  const known = ["ca_certs", "certfile", "keyfile", "cert_reqs", "server_hostname"];
  const expected = `true or a mapping with ${known.join(", ")}`;
  if (!isRecord(value)) return at.refuse("AMQP_SSL", expected);
  const ssl = at.section("AMQP_SSL")!;
  // An unknown option is an error: it could be the option that was meant to make the connection safe.
  if (Object.keys(value).some((key) => !known.includes(key))) return at.refuse("AMQP_SSL", expected);
  const required = ssl.get("cert_reqs") ?? "CERT_REQUIRED";
  const verify = VERIFY.get(required);
  if (verify === undefined) return ssl.refuse("cert_reqs", "CERT_NONE, CERT_OPTIONAL or CERT_REQUIRED");
  const [ca, cert, key] = [ssl.text("ca_certs"), ssl.text("certfile"), ssl.text("keyfile")];
  const serverName = ssl.text("server_hostname");
  return {
    verify,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(serverName !== undefined && { serverName }),
  };
}

/** The settings that this file reads. */
export const AMQP_SETTINGS: SettingTable = {
  HEARTBEAT: { kind: "duration", default: "1m", about: "time between heartbeats; 0 for none" },
  LOGIN_METHOD: { kind: "text", default: "PLAIN", about: "how the client logs in" },
  AMQP_SSL: { kind: "mapping", default: false, about: "true, or how the connection uses TLS" },
  "AMQP_SSL.ca_certs": { kind: "text", about: "file of the authorities that are trusted" },
  "AMQP_SSL.certfile": { kind: "text", about: "file of the own certificate" },
  "AMQP_SSL.keyfile": { kind: "text", about: "file of the own key" },
  "AMQP_SSL.cert_reqs": {
    kind: "text",
    default: "CERT_REQUIRED",
    about: "whether the certificate of the broker is verified",
  },
  "AMQP_SSL.server_hostname": { kind: "text", about: "name that the certificate must have (the host)" },
  AMQP_MANAGEMENT_URI: { kind: "text", about: "URI of the management plugin, for commands" },
  queue_type: { kind: "text", default: "classic", about: "type of durable queues" },
  TRANSPORT_OPTIONS: { kind: "mapping", about: "options of the transport" },
  "TRANSPORT_OPTIONS.interval_start": {
    kind: "duration",
    default: "2s",
    about: "wait before the second attempt to connect",
  },
  "TRANSPORT_OPTIONS.interval_step": {
    kind: "duration",
    default: "2s",
    about: "by how much that wait grows",
  },
  "TRANSPORT_OPTIONS.interval_max": { kind: "duration", default: "30s", about: "the longest such wait" },
  "TRANSPORT_OPTIONS.check_interval": {
    kind: "duration",
    default: "15s",
    about: "time between two checks of bindings",
  },
  "TRANSPORT_OPTIONS.consumer_timeout": {
    kind: "duration",
    default: "30m",
    about: "how long the broker waits for a verdict",
  },
  "TRANSPORT_OPTIONS.outcome_memory": {
    kind: "duration",
    default: "1d",
    about: "how long the outcome of a late call is remembered",
  },
};
