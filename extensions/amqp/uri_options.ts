import { didYouMean, nearestNames } from "../../runtime/service/options/nearest_names.ts";
import type { LinkOptions, LoginMethod, TlsOptions } from "./link_options.ts";

/** Options of a connection that its URI may state. They win over those of the configuration. */
export type UriOptions = Partial<
  Pick<
    LinkOptions,
    "heartbeat" | "connectTimeout" | "channelMax" | "frameMax" | "locale" | "login" | "tls"
  >
>;

/** The fewest bytes of a frame that the protocol allows. */
const SMALLEST_FRAME = 4_096;

const LOGINS = new Map<string, LoginMethod>([
  ["plain", "PLAIN"],
  ["amqplain", "AMQPLAIN"],
  ["external", "EXTERNAL"],
]);

/** Reads the value of an option, or says what it takes. */
type Reader = (value: string) => UriOptions | string;

const READERS: Readonly<Record<string, Reader>> = {
  heartbeat: integer("seconds", 0, 65_535, (heartbeat) => ({ heartbeat })),
  connection_timeout: integer("milliseconds", 1, 2 ** 31 - 1, (connectTimeout) => ({ connectTimeout })),
  channel_max: integer("channels, 0 for as many as the broker allows", 0, 65_535, (channelMax) => ({
    channelMax,
  })),
  frame_max(value) {
    const frameMax = /^\d{1,10}$/.test(value) ? Number(value) : -1;
    const fits = frameMax === 0 || (frameMax >= SMALLEST_FRAME && frameMax <= 2 ** 32 - 1);
    return fits ? { frameMax } : `a number of bytes, ${SMALLEST_FRAME} or more, or 0 for the broker's limit`;
  },
  locale: (locale) => /^[a-z]{2,3}(?:_[a-z]{2})?$/i.test(locale) ? { locale } : "a locale such as en_US",
  auth_mechanism(value) {
    const login = LOGINS.get(value.toLowerCase());
    return login === undefined ? [...LOGINS.keys()].join(", ") : { login };
  },
  cacertfile: file((ca) => ({ ca })),
  certfile: file((cert) => ({ cert })),
  keyfile: file((key) => ({ key })),
  password: file((passphrase) => ({ passphrase })),
  server_name_indication: file((serverName) => ({ serverName })),
  verify(value) {
    if (value !== "verify_peer" && value !== "verify_none") return "verify_peer or verify_none";
    return { tls: { verify: value === "verify_peer" } };
  },
};

/** Names that amqplib has for the same options. */
const SYNONYMS = new Map([["channelMax", "channel_max"], ["frameMax", "frame_max"]]);

/**
 * Reads the query of a broker's URI: RabbitMQ's URI query parameters, as far as they concern a client, and
 * `locale`, `channelMax` and `frameMax` as amqplib has them.
 *
 * @param query The text behind the `?`.
 * @param refuse Makes the error to throw if an option is not known, is given twice, or has a wrong value. Its
 * reason has no values, because a value may be a secret.
 */
export function parseUriOptions(query: string, secure: boolean, refuse: (why: string) => Error): UriOptions {
  let options: UriOptions = {};
  const seen = new Set<string>();
  for (const [written, value] of new URLSearchParams(query)) {
    const name = SYNONYMS.get(written) ?? written;
    if (!Object.hasOwn(READERS, name)) throw refuse(unknown(written));
    if (seen.has(name)) throw refuse(`its option "${name}" is given twice`);
    seen.add(name);
    const read = READERS[name]!(value);
    if (typeof read === "string") throw refuse(`its option "${name}" must be ${read}`);
    if (read.tls !== undefined && !secure) throw refuse(`its option "${name}" needs amqps://`);
    options = { ...options, ...read, ...(read.tls && { tls: { ...options.tls, ...read.tls } }) };
  }
  return options;
}

function unknown(written: string): string {
  const known = Object.keys(READERS);
  const list = `is not known (known are ${known.join(", ")})`;
  // What looks like no name may be a part of a secret.
  if (!/^[a-z_]{1,40}$/i.test(written)) return `one of its options ${list}`;
  return `its option "${written}" ${list}${didYouMean(nearestNames(written, known))}`;
}

function integer(unit: string, least: number, most: number, use: (value: number) => UriOptions): Reader {
  return (text) => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : -1;
    return value >= least && value <= most ? use(value) : `an integer (${unit}) from ${least} to ${most}`;
  };
}

function file(use: (value: string) => TlsOptions): Reader {
  return (value) => value === "" ? "text that is not empty" : { tls: use(value) };
}
