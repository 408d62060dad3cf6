/**
 * The settings of one start: the whole configuration, read once, each key by its owner.
 *
 * An owner exports a function that reads its keys from a {@linkcode Section}. What the runtime and the choice of a
 * broker need is read at once. The keys of the extensions are read when the extension is loaded, or at once where
 * the configuration has keys beyond those: then a wrong value is told before anything starts, and what is no
 * owner's key can be told, too. A program without such keys loads nothing of an extension that it does not use.
 */
import type { Config } from "../runtime/config/file.ts";
import { Section } from "../runtime/config/section.ts";
import { type RuntimeSettings, runtimeSettings, type ThreadSettings } from "../runtime/serving/settings.ts";

/** Reads the keys of one owner. */
export type SettingsReader<Value> = (at: Section) => Value;

/** Settings of which some are read when somebody asks for them first. */
export class Settings {
  readonly config: Config;
  readonly runtime: RuntimeSettings;
  /** URI of the broker that the configuration names. */
  readonly broker: string | undefined;
  readonly #at: Section;
  readonly #read = new Map<SettingsReader<unknown>, unknown>();
  readonly #remarks: string[] = [];
  #describesRoutes = false;

  /** Use {@linkcode Settings.read}. */
  constructor(config: Config, threads: ThreadSettings) {
    this.config = config;
    this.#at = new Section(config);
    this.runtime = runtimeSettings(this.#at, threads);
    this.broker = namedBroker(this.#at);
    requireJson(this.#at);
    this.#remarks.push(...remarksOnPython(this.#at));
  }

  /**
   * Reads a configuration.
   *
   * @param threads What a program says of the threads of all services.
   * @throws {ConfigurationError} If a value is not what its key takes.
   * @throws {RangeError} If one of `threads` makes no sense.
   */
  static async read(config: Config, threads: ThreadSettings = {}): Promise<Settings> {
    const settings = new Settings(config, threads);
    if (settings.#at.others.length > 0) await settings.#readAll();
    return settings;
  }

  /** The settings of one owner; asked again, the same. */
  of<Value>(reader: SettingsReader<Value>): Value {
    if (!this.#read.has(reader)) this.#read.set(reader, reader(this.#at));
    return this.#read.get(reader) as Value;
  }

  /** Sentences about keys that have no effect, for the log. */
  get remarks(): readonly string[] {
    return this.#remarks;
  }

  /** Whether routes are described in a document, for which manifests need their details. */
  get describesRoutes(): boolean {
    return this.#describesRoutes;
  }

  async #readAll(): Promise<void> {
    const [{ amqpSettings }, { rpcSettings }, { eventSettings }, { httpSettings }, { webSocketSettings }] =
      await Promise.all([
        import("./amqp/settings.ts"),
        import("./rpc/settings.ts"),
        import("./events/settings.ts"),
        import("./http/settings.ts"),
        import("./websocket/settings.ts"),
      ]);
    for (const reader of [amqpSettings, rpcSettings, eventSettings, webSocketSettings]) {
      this.of<unknown>(reader);
    }
    this.#describesRoutes = this.of(httpSettings).openapi !== undefined;
    if (this.#at.others.length > 0) this.#remarks.push(...await remarksOnMistypedKeys(this.#at));
  }
}

const TRANSPORT = /^(?:memory:|local:.*|(?:py)?amqps?:\/\/.*)$/;

/** `TRANSPORT`, else Nameko's `AMQP_URI`. */
function namedBroker(at: Section): string | undefined {
  const uri = at.text("AMQP_URI");
  return at.text("TRANSPORT", TRANSPORT, "memory:, local:, local:NAME or an amqp:// URI") ?? uri;
}

/** RPC and events are JSON here; a configuration that asks for another serializer cannot be followed. */
function requireJson(at: Section): void {
  at.text("serializer", /^json$/, "json: what else is to be read or written, a service names by itself");
  if (at.texts("ACCEPT")?.includes("json") === false) at.refuse("ACCEPT", "a list with json in it");
}

/** The keys that mean something to Python's Nameko, and nothing here. */
function remarksOnPython(at: Section): readonly string[] {
  const isLogging = at.section("LOGGING") !== undefined;
  const isSerializers = at.get("SERIALIZERS") !== undefined;
  return [
    ...(isLogging
      ? ["The LOGGING section is Python's and has no effect here. Use --log-level and --log-format"]
      : []),
    ...(isSerializers
      ? ["The SERIALIZERS section is Python's and has no effect here. Give an entrypoint its serializers"]
      : []),
  ];
}

/** Services read keys of their own from the same file, so only a key that is nearly one of ours is told. */
async function remarksOnMistypedKeys(at: Section): Promise<readonly string[]> {
  const { closestMatch, default: distance } = await import("npm:leven@^4.1.0");
  return at.others.flatMap((key) => {
    const known = new Map([...at.asked].map((each) => [each.toLowerCase(), each]));
    const nearest = closestMatch(key.toLowerCase(), [...known.keys()]);
    if (nearest === undefined) return [];
    if (distance(key.toLowerCase(), nearest) > Math.min(MISTYPED, key.length / 3)) return [];
    return [`Enoki knows no ${at.describe(key)}. Did you mean "${known.get(nearest)}"?`];
  });
}

/** Letters that a mistyped key may differ in. */
const MISTYPED = 2;
