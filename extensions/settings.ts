/**
 * The settings of one start: the whole configuration is read once, and each key is read by its owner.
 *
 * An owner exports a function that reads its keys from a {@linkcode Section}. The keys of the runtime and of the broker
 * are read at once. If the configuration has other keys, the settings of all extensions are read at once too: so a
 * wrong value is refused before anything starts, and the log can name a mistyped key. If it has none, the settings of
 * an extension are read when that extension is loaded, and a process loads nothing of an extension that it does not
 * use.
 */
import type { Config } from "../runtime/config/file.ts";
import { Section, type SettingTable } from "../runtime/config/section.ts";
import type { ExtensionParts } from "../runtime/hosting/extension.ts";
import { isTexts } from "../runtime/message/plain.ts";
import { pythonSerializers } from "../runtime/config/payload_settings.ts";
import { type RuntimeSettings, runtimeSettings, type ThreadSettings } from "../runtime/serving/settings.ts";
import type { ProcessPlace } from "./process_place.ts";
import type { HealthSettings } from "./http/health/settings.ts";
import type { ExtensionSource } from "./loaded_extensions.ts";
import type { SentrySettings } from "./sentry/settings.ts";
import type { StatsdSettings } from "./metrics/statsd/settings.ts";

/** Reads the keys of one owner. */
export type SettingsReader<Value> = (at: Section) => Value;

/** Options of {@linkcode Settings.read}. */
export interface ReadSettingsOptions {
  /** The settings that a program gives to the threads of all services. @default {{}} */
  readonly threads?: ThreadSettings;
  /** Extensions beside those that the configuration names. @default {[]} */
  readonly extensions?: readonly ExtensionSource[];
  /** Path or URL of a `deno.json` or an import map for extensions. @default {the `deno.json` of each module} */
  readonly importMap?: string;
  /** The place of this process among those that serve the same. @default {it is alone} */
  readonly place?: ProcessPlace;
}

/** The settings of one start. Some of them are read when somebody first asks for them. */
export class Settings {
  readonly config: Config;
  readonly runtime: RuntimeSettings;
  /** The place of this process among those that serve the same; undefined if it is alone. */
  readonly place: ProcessPlace | undefined;
  readonly #at: Section;
  readonly #read = new Map<SettingsReader<unknown>, unknown>();
  readonly #remarks: string[] = [];
  #describesServices = false;
  readonly #logging: Section | undefined;
  #extensions: ExtensionParts = { entrypoints: {}, dependencies: {}, transports: {}, around: [] };
  #broker: () => string | undefined = () => undefined;
  #sentry: SentrySettings | undefined;
  #health: HealthSettings = { metrics: undefined, apart: undefined };
  #statsd: readonly StatsdSettings[] = [];

  /** Use {@linkcode Settings.read}. */
  constructor(config: Config, threads: ThreadSettings, place?: ProcessPlace) {
    this.config = config;
    this.place = place;
    this.#at = new Section(config);
    this.runtime = runtimeSettings(this.#at, threads);
    this.#logging = this.#at.section("LOGGING");
    this.#remarks.push(...remarksOnPython(this.#at));
  }

  /**
   * Reads a configuration.
   *
   * It also loads the extensions, because their settings are read from the configuration, too.
   *
   * @throws {ConfigurationError} If a value is not what its key takes.
   * @throws {RangeError} If one of `threads` makes no sense.
   * @throws {ServiceLoadError} If an extension does not load.
   */
  static async read(
    config: Config,
    { threads = {}, extensions = [], importMap, place }: ReadSettingsOptions = {},
  ): Promise<Settings> {
    const settings = new Settings(config, threads, place);
    await settings.#loadExtensions([...settings.#at.texts("extensions") ?? [], ...extensions], importMap);
    settings.#broker = namedBroker(settings.#at, Object.keys(settings.extensions.transports));
    if (settings.#at.others.length > 0) await settings.#readAll();
    return settings;
  }

  /** Gives the settings of one owner, and reads them if nobody has asked for them before. */
  of<Value>(reader: SettingsReader<Value>): Value {
    if (!this.#read.has(reader)) this.#read.set(reader, reader(this.#at));
    return this.#read.get(reader) as Value;
  }

  /** What the extensions provide that the configuration or the program has named. */
  get extensions(): ExtensionParts {
    return this.#extensions;
  }

  /**
   * URI of the broker that the configuration names.
   *
   * @throws {ConfigurationError} If it lacks a variable: another broker would be used than the one that is meant.
   */
  get broker(): string | undefined {
    return this.#broker();
  }

  /** Sentences about keys that have no effect, for the log. */
  get remarks(): readonly string[] {
    return this.#remarks;
  }

  /** Whether documents describe the services. They need the details of the entrypoints in the manifests. */
  get describesServices(): boolean {
    return this.#describesServices;
  }

  /** Nameko's section `LOGGING`; undefined if there is none. */
  get logging(): Section | undefined {
    return this.#logging;
  }

  /** Where failures of calls are reported to; undefined if nowhere. */
  get sentry(): SentrySettings | undefined {
    return this.#sentry;
  }

  /** Where the process answers about itself. */
  get health(): HealthSettings {
    return this.#health;
  }

  /** The StatsD servers that get the numbers. */
  get statsd(): readonly StatsdSettings[] {
    return this.#statsd;
  }

  async #loadExtensions(sources: readonly ExtensionSource[], importMap: string | undefined): Promise<void> {
    if (sources.length === 0) return;
    const { loadExtensions } = await import("./loaded_extensions.ts");
    const { modules, limits: { loadTimeout } } = this.runtime;
    this.#extensions = await loadExtensions(sources, {
      at: this.#at,
      modules,
      ...(loadTimeout !== undefined && { loadTimeout }),
      ...(importMap !== undefined && { importMap }),
    });
  }

  async #readAll(): Promise<void> {
    const {
      amqpSettings,
      controlSettings,
      eventSettings,
      healthSettings,
      httpSettings,
      rpcSettings,
      sentrySettings,
      statsdSettings,
      streamSettings,
      webSocketSettings,
    } = await import("./setting_readers.ts");
    for (
      const reader of [
        amqpSettings,
        rpcSettings,
        eventSettings,
        webSocketSettings,
        streamSettings,
        controlSettings,
      ]
    ) this.of<unknown>(reader);
    this.#sentry = this.of(sentrySettings);
    if (this.#sentry !== undefined) this.#remarks.push(...remarksOnSentry(this.#sentry));
    this.#health = this.of(healthSettings);
    this.#statsd = this.of(statsdSettings);
    const { openapi, asyncapi } = this.of(httpSettings);
    this.#describesServices = openapi !== undefined || asyncapi !== undefined;
    if (this.#at.others.length > 0) this.#remarks.push(...await remarksOnMistypedKeys(this.#at));
  }
}

const TRANSPORT = /^(?:memory:?|local|local:.*|(?:py)?amqps?:\/\/.*)$/;

/** `TRANSPORT`, else Nameko's `AMQP_URI`, which may be a list of URIs. It lacks no variable once somebody needs it. */
function namedBroker(at: Section, schemes: readonly string[]): () => string | undefined {
  const uris = at.get("AMQP_URI");
  if (Array.isArray(uris) && (uris.length === 0 || !isTexts(uris) || uris.includes(""))) {
    return at.refuse("AMQP_URI", "a URI or a list of URIs");
  }
  const uri = Array.isArray(uris) ? uris.join(";") : at.text("AMQP_URI");
  const chosen = at.text("TRANSPORT");
  if (chosen !== undefined && !TRANSPORT.test(chosen) && !schemes.includes(chosen.split(":", 1)[0]!)) {
    const others = schemes.map((scheme) => `, ${scheme}:…`).join("");
    return at.refuse("TRANSPORT", `memory:, local:, local:NAME${others} or an amqp:// URI`);
  }
  return () => {
    at.requireVariables("TRANSPORT");
    if (chosen === undefined) at.requireVariables("AMQP_URI");
    return chosen ?? uri;
  };
}

/** Sentences about keys that have a meaning for Python's Nameko, and none here. */
function remarksOnPython(at: Section): readonly string[] {
  return pythonSerializers(at).map((name) =>
    `The config key "SERIALIZERS.${name}" is Python's and has no effect here. Give it a built_in to use it`
  );
}

/** Sentences about keys that only Python's client of Sentry knows. */
function remarksOnSentry({ ignored }: SentrySettings): readonly string[] {
  return ignored.map((key) =>
    `The config key "SENTRY.CLIENT_CONFIG.${key}" is Python's and has no effect here`
  );
}

/** Sentences about keys that are nearly known ones. Other unknown keys may be keys of a service. */
async function remarksOnMistypedKeys(at: Section): Promise<readonly string[]> {
  const { closestMatch, default: distance } = await import("npm:leven@4.1.0");
  return at.others.flatMap((key) => {
    const known = new Map([...at.asked].map((each) => [each.toLowerCase(), each]));
    const nearest = closestMatch(key.toLowerCase(), [...known.keys()]);
    if (nearest === undefined) return [];
    if (distance(key.toLowerCase(), nearest) > Math.min(MISTYPED, key.length / 3)) return [];
    return [`Enoki knows no ${at.describe(key)}. Did you mean "${known.get(nearest)}"?`];
  });
}

/** The most letters in which a mistyped key may differ. */
const MISTYPED = 2;

/** The settings that this file reads itself. */
export const START_SETTINGS: SettingTable = {
  AMQP_URI: { kind: "text", about: "URI of RabbitMQ, or a list of them" },
  TRANSPORT: { kind: "text", about: "the broker: memory:, local:, or a URI (AMQP_URI)" },
  extensions: { kind: "list", about: "paths or URLs of extensions" },
  LOGGING: { kind: "mapping", about: "levels, formatters and handlers of Python" },
};
