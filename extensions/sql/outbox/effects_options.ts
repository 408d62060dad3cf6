import { type Duration, millisecondsOf, OR_TEXT, shownDuration } from "../../../runtime/waiting/duration.ts";
import { isRecord, type Plain, type PlainRecord } from "../../../runtime/message/plain.ts";

/** Options of an outbox. */
export interface OutboxSettings {
  /**
   * Milliseconds between two looks into the outbox for messages of other processes. Those of the own process are
   * sent at once.
   *
   * @default {100}
   */
  readonly pollInterval?: Duration;
}

/** Options of an inbox. */
export interface InboxSettings {
  /** Milliseconds between two looks for messages whose time is over. @default {60_000} */
  readonly purgeInterval?: Duration;
}

/** The part of the options of `sql()` for effects that happen exactly once. */
export interface EffectsOptions {
  /**
   * Whether the events and messages that a call sends are written into the database, in the transaction of the call,
   * and sent after its commit.
   *
   * @default {false}
   */
  readonly outbox?: boolean | OutboxSettings;
  /** Whether the dependency remembers messages for the entrypoints with the option `once`. @default {false} */
  readonly inbox?: boolean | InboxSettings;
}

/** What the options of a dependency ask for. */
export interface Effects {
  readonly outbox: { readonly pollInterval: number } | undefined;
  readonly inbox: { readonly purgeInterval: number } | undefined;
}

const OUTBOX = { pollInterval: 100 };
const INBOX = { purgeInterval: 60_000 };

/**
 * Reads the options of a dependency.
 *
 * @throws {TypeError} If one is unknown, or is of a wrong type.
 * @throws {RangeError} If a number is not positive.
 */
export function effectsOf(
  { outbox, inbox }: { readonly outbox?: unknown; readonly inbox?: unknown },
): Effects {
  return { outbox: settingsOf("outbox", outbox, OUTBOX), inbox: settingsOf("inbox", inbox, INBOX) };
}

/**
 * Gives what the manifest says of the options.
 *
 * @throws As {@linkcode effectsOf} does.
 */
export function plainEffects(options: EffectsOptions): PlainRecord {
  const { outbox, inbox } = effectsOf(options);
  return {
    ...(outbox && { outbox: outbox as unknown as Plain }),
    ...(inbox && { inbox: inbox as unknown as Plain }),
  };
}

function settingsOf<Settings extends Readonly<Record<string, number>>>(
  name: string,
  given: unknown,
  defaults: Settings,
): Settings | undefined {
  if (given === undefined || given === false) return undefined;
  if (given === true) return defaults;
  if (!isRecord(given)) {
    throw new TypeError(`Cannot use a database: ${name} must be true, false or an object`);
  }
  const settings: Record<string, number> = { ...defaults };
  for (const [key, value] of Object.entries(given)) {
    if (!(key in defaults)) {
      throw new TypeError(
        `Cannot use a database: ${name} has no option "${key}", only ${Object.keys(defaults).join(", ")}`,
      );
    }
    const milliseconds = millisecondsOf(value);
    if (!(milliseconds >= 1 && milliseconds <= 2 ** 31 - 1)) {
      throw new RangeError(
        `Cannot use a database: ${name}.${key} must be from 1 to ${2 ** 31 - 1} ms, ${OR_TEXT}, ` +
          `got ${shownDuration(value)}`,
      );
    }
    settings[key] = milliseconds;
  }
  return settings as unknown as Settings;
}
