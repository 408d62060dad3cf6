import { within } from "../../../runtime/waiting/abort.ts";
import { isTexts } from "../../../runtime/message/plain.ts";
import { ServiceLoadError } from "../../../runtime/message/errors.ts";
import { parseModuleSpecifier } from "../../../runtime/module/specifier.ts";
import { configureLogging, type ConfigureLoggingOptions, getLog } from "../../../runtime/log/observe.ts";
import { takesSpans } from "../../../runtime/telemetry/otel/switch.ts";
import type { CommandIo, StopSignal } from "../command_io.ts";
import type { Running, ServeOptions } from "../../serve.ts";
import { Settings } from "../../settings.ts";
import { ConfigWatch, denoConfigsOf } from "../flags/config_watch.ts";
import { EXIT } from "../view/failure_report.ts";
import { requireModuleFiles } from "../flags/module_files.ts";
import { readRunConfig, type RunFlags } from "../flags/run_config.ts";
import { logAsConfigured } from "../view/configured_log.ts";
import { RunView } from "../view/run_view.ts";

/** Exit statuses of a process that these signals end. */
const KILLED_BY: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

/**
 * Milliseconds within which a further signal of the same kind counts as the same request: under `deno task`, the
 * terminal sends one SIGINT and the task sends another, and a supervisor may send SIGTERM to the process and to its
 * group.
 */
const ECHO_TIME: Readonly<Record<StopSignal, number>> = { SIGINT: 300, SIGTERM: 1_000 };

/** Milliseconds that an aborted stop has for its clean-up. */
const ABORT_LIMIT = 1_000;

/** What another command does while modules are served. */
export interface RunHooks {
  /** Called once the process has all flags of Deno that it needs. */
  readonly onBegin: () => void;
  /** Called when the services answer calls. They are stopped when it resolves. */
  readonly onReady: (serving: Running, settings: Settings, signal: AbortSignal) => Promise<void>;
}

/** Serves modules until a signal arrives. A second signal aborts the stop. */
export async function runCommand(
  modules: readonly string[],
  flags: RunFlags,
  io: CommandIo,
  hooks?: RunHooks,
): Promise<number> {
  const done = await io.startOver(modules[0]);
  if (done !== undefined) return done;
  hooks?.onBegin();
  const {
    broker,
    watch = false,
    logLevel,
    logFormat,
  } = flags;
  const view = new RunView(io, logFormat ?? "pretty");
  const plain: ConfigureLoggingOptions = {
    level: logLevel ?? "info",
    format: logFormat ?? "pretty",
    colors: io.colors,
    write: (line) => view.log(line),
  };
  configureLogging(plain);
  const { config, file } = await readRunConfig(flags, io, { onFound: (file) => view.say(`Using ${file}`) });
  const settings = await Settings.read(config, {
    extensions: io.extensions,
    ...(flags.importMap !== undefined && { importMap: flags.importMap }),
  });
  using logging = await logAsConfigured(settings.logging, plain, flags, io);
  await requireModuleFiles(modules);
  const extensions = isTexts(config["extensions"]) ? config["extensions"] : [];
  if (io.env.get("OTEL_DENO") === "true" && !takesSpans()) {
    getLog().warning(
      "OTEL_DENO has no effect in this binary: OpenTelemetry is on in binaries that were made with " +
        "enoki compile --otel",
    );
  }
  const { serve } = await import("../../serve.ts");
  using stop = new StopRequests(io);
  await using _watching = watch
    ? new ConfigWatch(
      [
        ...(file === undefined ? [] : [file]),
        ...denoConfigsOf([...modules, ...extensions]),
      ],
      extensions,
      (changed) => view.say(`${changed} has changed. Restart to use it: only a start reads it`),
    )
    : undefined;
  const service = serveUntilStopped(
    (options) => serve(modules, settings, options),
    modules,
    {
      ...(broker !== undefined && { broker }),
      ...(flags.importMap !== undefined && { importMap: flags.importMap }),
      watch,
      onProgress: (progress) => view.progress(progress),
      onUnreachable: (error, retryIn) => view.unreachable(error, retryIn),
    },
    stop,
    view,
    settings.runtime.grace,
    (serving) => {
      logging?.remarkOn(serving.containers.keys());
      return hooks?.onReady(serving, settings, stop.first);
    },
  );
  await Promise.race([service, stop.aborted(view, service)]);
  return stop.status;
}

async function serveUntilStopped(
  serve: (options: ServeOptions) => Promise<Running>,
  modules: readonly string[],
  options: ServeOptions,
  stop: StopRequests,
  view: RunView,
  grace: number,
  onReady: (serving: Running) => Promise<void> | undefined,
): Promise<void> {
  const serving = await startServing(serve, modules, options, stop.first, view);
  if (serving === undefined) return view.say("Stopped before anything was served");
  try {
    view.ready(serving);
    const over = onReady(serving);
    await Promise.race([serving.finished, stop.requested, ...over === undefined ? [] : [over]]);
    if (stop.first.aborted) view.stopping(serving, grace);
  } finally {
    await serving.shutdown({ signal: stop.second });
  }
  if (!stop.second.aborted) view.say("Stopped");
}

/**
 * Starts to serve. Returns undefined if `signal` has stopped the start. With `watch`, a module that does not
 * load may be repaired: then the start waits for a change and tries again.
 */
async function startServing(
  serve: (options: ServeOptions) => Promise<Running>,
  modules: readonly string[],
  options: ServeOptions,
  signal: AbortSignal,
  view: RunView,
): Promise<Running | undefined> {
  while (true) {
    const since = Date.now();
    try {
      view.starting();
      return await serve({ ...options, signal });
    } catch (error) {
      view.clear();
      if (signal.aborted) return undefined;
      if (!options.watch || !(error instanceof ServiceLoadError)) throw error;
      view.notStarted(error);
      const urls = modules.map((module) => parseModuleSpecifier(module).url);
      const { moduleChange } = await import("../../../runtime/serving/local_files.ts");
      try {
        await moduleChange(urls, { since, signal });
      } catch (error) {
        if (signal.aborted) return undefined;
        throw error;
      }
    }
  }
}

/** Listens for the first and the second request to stop. */
class StopRequests implements Disposable {
  readonly #first = new AbortController();
  readonly #second = new AbortController();
  readonly #requested = Promise.withResolvers<void>();
  readonly #again = Promise.withResolvers<void>();
  readonly #listening: Disposable;
  #status: number = EXIT.fine;

  constructor(io: CommandIo) {
    const heardAt: Record<StopSignal, number> = { SIGINT: -Infinity, SIGTERM: -Infinity };
    this.#listening = io.onStop((signal) => {
      const now = performance.now();
      if (now - heardAt[signal] < ECHO_TIME[signal]) return;
      heardAt[signal] = now;
      if (this.first.aborted) {
        this.#status = KILLED_BY[signal];
        this.#second.abort();
        this.#again.resolve();
      } else {
        this.#first.abort();
        this.#requested.resolve();
      }
    });
  }

  get first(): AbortSignal {
    return this.#first.signal;
  }

  get second(): AbortSignal {
    return this.#second.signal;
  }

  /** Resolves with the first request. */
  get requested(): Promise<void> {
    return this.#requested.promise;
  }

  /** Exit status of the process. After an abort, it is the status of a process that the signal has killed. */
  get status(): number {
    return this.#status;
  }

  /** Resolves shortly after the second request, whether `service` has ended or not. */
  async aborted(view: RunView, service: Promise<unknown>): Promise<void> {
    await this.#again.promise;
    view.say("Aborting: calls that still run go back to the broker");
    await within(ABORT_LIMIT, service).catch(() => {});
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }
}
