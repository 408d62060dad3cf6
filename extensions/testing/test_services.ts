import { type Duration, requireDuration } from "../../runtime/waiting/duration.ts";
import type { Config } from "../../runtime/config/file.ts";
import type { LogLevel } from "../../runtime/log/log.ts";
import { loadPayloads } from "../../runtime/message/payload/payloads.ts";
import { given as present } from "../../runtime/message/plain.ts";
import type { Transport } from "../../runtime/message/transport.ts";
import { type OptionNames, requireKnown } from "../../runtime/service/options/known_options.ts";
import type { ThreadSettings } from "../../runtime/serving/settings.ts";
import type { ServiceOrModule } from "../../runtime/serving/service_source.ts";
import type { Clock } from "../../runtime/waiting/clock.ts";
import type { ExtensionSource } from "../loaded_extensions.ts";
import type { Settings } from "../settings.ts";
import type { MemoryBroker } from "../memory/broker.ts";
import { CallJournal } from "./call_journal.ts";
import { methodFilter, requireMatches } from "./entrypoint_pattern.ts";
import { type Fakes, inlineServices, withFakes } from "./inline_services.ts";
import { RunningApp } from "./running_app.ts";
import type { Given, MethodName, Replacements, TestApp } from "./test_app.ts";
import { type Fire, watchEntrypoints } from "./watched_entrypoints.ts";
import { WatchedTransport } from "./watched_transport.ts";

/** Options of {@linkcode testServices}. */
export interface TestServicesOptions<Services extends Given = Given> {
  /**
   * The methods that are started, as `service.method`, of which either part may be `*`: `["orders.place", "mail.*"]`.
   * The others get no calls, no events, no requests, and cannot be fired.
   *
   * @default {all of them}
   */
  readonly only?: readonly (MethodName<Services> | `${string}.*` | `*.${string}`)[];
  /**
   * What the handlers get in place of their dependencies, by the names of services and dependencies:
   * `{ orders: { payments: { charge: () => receipt } } }`. A client may be given as plain functions, and every value
   * with a part of its members. The setup of what is replaced does not run.
   *
   * @default {{}}
   */
  readonly replace?: Replacements<Services>;
  /**
   * A configuration with Nameko's keys. Its `TRANSPORT` and `AMQP_URI` do not count: a test that means a real broker
   * says so by `broker`.
   *
   * @default {an HTTP server on a free port, one second to stop, and no control channel}
   */
  readonly config?: Config;
  /**
   * URI of a broker, or a transport of your own, which is connected at the start and closed at the end.
   *
   * @default {a broker in memory of this test's own}
   */
  readonly broker?: string | Transport;
  /**
   * Permissions, kind and limits of the threads, as `run()` takes them: with this option, the services run in real
   * threads. A service that is given itself must then say `module: import.meta.url`.
   *
   * @default {all services run in the thread of the test}
   */
  readonly threads?: ThreadSettings;
  /** Extensions beside those that the configuration names, as `run()` takes them. @default {[]} */
  readonly extensions?: readonly ExtensionSource[];
  /** Path or URL of a `deno.json` or an import map, for modules in real threads. @default {that of the module} */
  readonly importMap?: string;
  /** Least severe level of the log. It is one for all services of the process. @default {"warning"} */
  readonly logLevel?: LogLevel;
  /**
   * Tells the time that decides what the services do, such as a `testClock()`: timers and crons tick by it, and delayed
   * retries, expirations and time limits of calls keep to it. A real broker keeps its own time, and so do real threads.
   *
   * @default {the clock of the machine, by which no timer and no cron ticks}
   */
  readonly clock?: Clock;
  /** Milliseconds that `waitFor()`, `idle()` and `socket()` wait at most. @default {5_000} */
  readonly timeout?: Duration;
  /** Number of ended calls that are kept until a `waitFor()` takes them. The oldest goes first. @default {10_000} */
  readonly keep?: number;
  /** Aborting stops the start. */
  readonly signal?: AbortSignal;
}

const OPTIONS: OptionNames<TestServicesOptions> = {
  only: true,
  replace: true,
  config: true,
  broker: true,
  threads: true,
  extensions: true,
  importMap: true,
  logLevel: true,
  clock: true,
  timeout: true,
  keep: true,
  signal: true,
};

/** What a test has that its configuration does not say otherwise. */
const TEST_CONFIG: Config = { WEB_SERVER_ADDRESS: "127.0.0.1:0", control: false, grace: 1 };

/**
 * Starts services for a test, and resolves when all of them serve.
 *
 * They are real services with real entrypoints, and the values that they exchange are encoded as on the wire. But they
 * run in the thread of the test, over a broker in memory of their own, so a test starts in a few milliseconds, needs no
 * permission, and many of them may run at once. Timers and crons fire when the test says so, by `fire()`.
 *
 * @param services Services, or paths or URLs of modules, of which `:name` after one picks one of its services. What is
 * given itself has types for `call()`, `waitFor()` and `replace`.
 * @throws {TypeError} If there are none, an option is not known, or it names what is not there. If `replace` stands
 * beside `threads`: a fake of this thread cannot be in another one.
 * @throws {RangeError} If `timeout` is no duration, or `keep` is negative.
 * @throws {ConfigurationError} If the configuration is wrong.
 * @throws {ServiceLoadError} If a module does not load or exports no service.
 * @throws {BrokerError} If the broker cannot be reached.
 *
 * @example
 * ```ts ignore
 * import { testServices } from "@enoki/enoki/testing";
 *
 * await using app = await testServices([orders, mail], {
 *   replace: { orders: { payments: { charge: (total) => ({ paid: total, at: "now" }) } } },
 * });
 * await app.call("orders.place", { id: 7, total: 30 });
 * const { args: [order] } = await app.waitFor("mail.confirm");
 * ```
 */
export async function testServices<const Services extends readonly ServiceOrModule[]>(
  services: Services,
  options: TestServicesOptions<Services> = {},
): Promise<TestApp<Services>> {
  requireKnown("Cannot test services", "testServices()", options, OPTIONS);
  if (!Array.isArray(services) || services.length === 0) {
    throw new TypeError(
      "Cannot test services: there are none. Pass an array of services or paths of modules",
    );
  }
  return await start(services, options as TestServicesOptions) as unknown as TestApp<Services>;
}

async function start(
  given: Given,
  {
    only = ["*.*"],
    replace = {},
    config = {},
    broker,
    threads,
    extensions = [],
    importMap,
    logLevel = "warning",
    clock,
    timeout = 5_000,
    keep = 10_000,
    signal,
  }: TestServicesOptions,
): Promise<RunningApp> {
  const isStarted = methodFilter(only);
  const longestWait = requireDuration("Cannot test services", "timeout", timeout);
  if (typeof keep !== "number" || !(keep >= 0)) {
    throw new RangeError(`Cannot test services: keep must be a number of calls, 0 or more, got ${keep}`);
  }
  const isInline = threads === undefined || threads.kind === "inline";
  if (!isInline) requireThreads(given, replace as Fakes);
  const [{ serve }, { Settings }, { connect }] = await Promise.all([
    import("../serve.ts"),
    import("../settings.ts"),
    import("../connect.ts"),
  ]);
  const whole = { ...TEST_CONFIG, ...config };
  const settings = await Settings.read(whole, {
    threads: isInline ? { ...threads, kind: "inline" } : threads,
    extensions,
    ...(importMap !== undefined && { importMap }),
  });
  const services = isInline ? withFakes(await inlineServices(given), replace as Fakes) : given;
  const payloads = await loadPayloads(settings.runtime.payloads);
  const journal = new CallJournal({ keep, payloads });
  const { memory, open } = await brokerOf(broker, settings, clock);
  const transport = new WatchedTransport({
    broker: typeof broker === "object" ? broker.broker : broker ?? "memory:",
    open,
    watch: journal.deliver,
  });
  const fires = new Map<string, Fire>();
  const serving = await serve(services, settings, {
    broker: transport,
    ...present({ importMap, clock }),
    logLevel,
    intercept: (telemetry) =>
      watchEntrypoints({
        journal,
        isStarted,
        ticks: clock !== undefined,
        fires,
        telemetry: settings.runtime.telemetry && telemetry,
      }),
    ...(signal && { signal }),
  });
  try {
    requireMatches(only, serving.containers);
    const connection = await connect({ broker: transport.lend(), config: whole, ...present({ clock }) });
    return new RunningApp({
      serving,
      connection,
      journal,
      transport,
      memory,
      timeMoves: clock === undefined,
      payloads,
      fires,
      isStarted,
      timeout: longestWait,
    });
  } catch (error) {
    await serving.shutdown();
    throw error;
  }
}

/** @throws {TypeError} If real threads cannot do what is asked for. */
function requireThreads(given: Given, replace: Fakes): void {
  if (Object.keys(replace).length > 0) {
    throw new TypeError(
      "Cannot replace dependencies of services in real threads: a fake lives in the thread of the test. " +
        "Leave out threads, or replace",
    );
  }
  for (const each of given) {
    if (typeof each !== "object" || each instanceof URL || each.module !== undefined) continue;
    throw new TypeError(
      `Cannot run service "${each.name}" in real threads: they have to load its module. ` +
        "Define it with module: import.meta.url, or give the path of its module",
    );
  }
}

/** Tells how to open the broker of a test, and which broker it is if it is in this process. */
async function brokerOf(
  broker: string | Transport | undefined,
  settings: Settings,
  clock: Clock | undefined,
): Promise<{
  readonly memory: MemoryBroker | undefined;
  readonly open: (options?: { readonly signal?: AbortSignal }) => Promise<Transport>;
}> {
  const [{ connected, logStatus, openBroker }, { getLog }] = await Promise.all([
    import("../broker.ts"),
    import("../../runtime/log/observe.ts"),
  ]);
  if (typeof broker === "object") {
    return { memory: undefined, open: (options) => connected(broker, options) };
  }
  if (broker === undefined || /^memory:?$/.test(broker)) {
    const [{ MemoryBroker }, { memory, sharedMemoryBroker }] = await Promise.all([
      import("../memory/broker.ts"),
      import("../memory/memory_transport.ts"),
    ]);
    const own = broker === undefined ? new MemoryBroker(present({ clock })) : sharedMemoryBroker(clock);
    return { memory: own, open: (options) => connected(memory({ broker: own }), options) };
  }
  const onStatus = logStatus(getLog());
  return {
    memory: undefined,
    open: (options) => openBroker({ settings, broker, purpose: "tests", onStatus, ...options }),
  };
}
