/**
 * How the client proves its identity: with a password (`PLAIN` and `AMQPLAIN` are two encodings of it), or
 * with its TLS certificate (`EXTERNAL`).
 */
export type LoginMethod = "PLAIN" | "AMQPLAIN" | "EXTERNAL";

/** TLS options for `amqps://`. The files contain PEM text. */
export interface TlsOptions {
  /** File with the certificates that the client trusts, instead of the system's certificates. */
  readonly ca?: string;
  /** File with the client's own certificate. */
  readonly cert?: string;
  /** File with the private key that belongs to `cert`. */
  readonly key?: string;
  /** Password of `key`. */
  readonly passphrase?: string;
  /** Name that the broker's certificate must have, if that name is not the host of the URI. */
  readonly serverName?: string;
  /** Whether the client refuses a broker whose certificate it does not trust. @default {true} */
  readonly verify?: boolean;
}

/** Options of {@linkcode Link.open}. */
export interface LinkOptions {
  /** Seconds between heartbeats. 0 turns heartbeats off. */
  readonly heartbeat: number;
  /** Milliseconds that connecting and logging in may take. */
  readonly connectTimeout: number;
  readonly login: LoginMethod;
  /** Largest number of channels. 0 leaves it to the broker. */
  readonly channelMax: number;
  /** Largest number of bytes of a frame. 0 leaves it to the broker. */
  readonly frameMax: number;
  /** Language of the broker's messages, such as `en_US`. */
  readonly locale: string;
  readonly tls: TlsOptions;
  readonly clientProperties: Readonly<Record<string, unknown>>;
  /**
   * Called with the broker's reason when the broker stops reading what we send, and without a reason when the
   * broker reads again.
   */
  readonly onBlocked: (reason?: string) => void;
}
