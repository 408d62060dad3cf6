import type { Section } from "../../runtime/config/section.ts";
import { isRecord, type Plain } from "../../runtime/message/plain.ts";
import type { LoginMethod, TlsOptions } from "./link.ts";
import type { AmqpOptions } from "./transport.ts";

/** How the connection to RabbitMQ is set. */
export interface AmqpSettings {
  /** Only what the configuration says; the transport has the defaults. */
  readonly options: AmqpOptions;
  /** Whether TLS is used whatever the scheme of the URI says, as with Nameko. */
  readonly secure: boolean;
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
 * Reads `HEARTBEAT`, `LOGIN_METHOD`, `AMQP_SSL` and `TRANSPORT_OPTIONS`.
 *
 * Of the last one, Kombu's `interval_start`, `interval_step` and `interval_max` count. Its `max_retries` does not: an
 * outage is waited out, however long it takes.
 *
 * @throws {ConfigurationError} If a value is not what its key takes.
 */
export function amqpSettings(at: Section): AmqpSettings {
  const heartbeat = at.milliseconds("HEARTBEAT");
  const login = at.text("LOGIN_METHOD");
  const tls = tlsOptions(at);
  const transport = at.section("TRANSPORT_OPTIONS");
  const retryStart = transport?.milliseconds("interval_start");
  const retryStep = transport?.milliseconds("interval_step");
  const retryLimit = transport?.milliseconds("interval_max");
  return {
    secure: tls !== undefined,
    options: {
      ...(heartbeat !== undefined && { heartbeat: heartbeat / 1_000 }),
      ...(login !== undefined && { login: login as LoginMethod }),
      ...(tls && { tls }),
      ...(retryStart !== undefined && { retryStart }),
      ...(retryStep !== undefined && { retryStep }),
      ...(retryLimit !== undefined && { retryLimit }),
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
  // An option that is ignored in silence could be the one that makes the connection safe.
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
