import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunningCall } from "../../../runtime/pool/running_calls.ts";
import type { BrokerError, ServiceLoadError } from "../../../runtime/message/errors.ts";
import { getLog, type LogFormat } from "../../../runtime/log/observe.ts";
import { escapeControls, escapeControlsInLines } from "../../../runtime/log/terminal_text.ts";
import type { ServiceContainer } from "../../../runtime/serving/service_container.ts";
import type { Progress } from "../../../runtime/serving/service_set.ts";
import type { CommandIo } from "../command_io.ts";
import type { Running } from "../../serve.ts";
import { reportFailure } from "./failure_report.ts";
import { describePermissions } from "../flags/permission_flags.ts";
import { ProgressLine } from "./progress_line.ts";
import { alignColumns, entrypointRows } from "./service_listing.ts";

/** Shows what `run` does: in lines for people, or in log records if the log is JSON for programs. */
export class RunView {
  readonly #io: CommandIo;
  readonly #json: boolean;
  readonly #line: ProgressLine;
  readonly #startedAt = performance.now();

  constructor(io: CommandIo, format: LogFormat) {
    this.#io = io;
    this.#json = format === "json";
    this.#line = new ProgressLine(io);
  }

  /** Writes a line of the log. */
  log(line: string): void {
    this.#line.write(line);
  }

  /** Shows a short message. */
  say(text: string): void {
    if (this.#json) getLog().info(text);
    else this.#line.write(escapeControlsInLines(text));
  }

  /** Shows that the start has begun. */
  starting(): void {
    this.#show("Connecting to the broker");
  }

  /** Shows a step of the start or of a reload. */
  progress(progress: Progress): void {
    if (progress.step === "loading") this.#show(`Loading ${shortPath(progress.module)}`);
    if (progress.step === "serving") this.#show(`Starting ${progress.service}`);
    if (progress.step === "reloaded") this.#reloaded(progress.services, Math.round(progress.took));
    if (progress.step === "not reloaded") this.#notReloaded(progress.module, progress.error);
  }

  /** Logs that the process waits for the broker. */
  unreachable({ message }: BrokerError, retryIn: number): void {
    getLog().warning(`${message}. Trying again in ${retryIn / 1_000} s`);
  }

  /** Erases the line that shows the current step. */
  clear(): void {
    this.#line.clear();
  }

  /** Shows why the services do not load. The user may repair them. */
  notStarted(error: ServiceLoadError): void {
    this.#failed(reportFailure(error).text, "Waiting for a change");
  }

  /** Shows that the services answer calls. */
  ready({ containers, transport: { broker }, http, streams }: Running): void {
    this.clear();
    const took = Math.round(performance.now() - this.#startedAt);
    if (this.#json) {
      getLog().info("Ready", {
        services: [...containers.keys()],
        broker,
        ...(http && { http }),
        ...(streams.length > 0 && { streams }),
        took,
      });
      return;
    }
    const services = [...containers.values()].map((container) => this.#listing(container));
    const places = [broker, ...(http === undefined ? [] : [http]), ...streams.map(escapeControls)];
    const last = places.pop();
    const on = places.length === 0 ? last : `${places.join(", ")} and ${last}`;
    this.#line.write(
      `\n${services.join("\n\n")}\n\nReady on ${on} after ${took} ms. Press Ctrl-C to stop\n`,
    );
  }

  /**
   * Shows that the polite stop begins.
   *
   * @param grace Milliseconds that it may take.
   */
  stopping({ containers }: Running, grace: number): void {
    const calls = [...containers.values()].flatMap(({ running }) => running);
    // The terminal has just written ^C at the cursor.
    if (this.#io.terminal) this.#io.writeMessage("\r");
    this.say(
      `Stopping ${[...containers.keys()].join(", ")}` +
        (calls.length === 0
          ? ""
          : `: waiting for ${stillRunning(calls)}. At most ${
            Math.round(grace / 1_000)
          } s more; press Ctrl-C again to abort`),
    );
  }

  #reloaded(services: readonly string[], took: number): void {
    if (this.#json) getLog().info("Reloaded", { services, took });
    else this.#line.write(`Reloaded ${escapeControls(services.join(", "))} in ${took} ms`);
  }

  #notReloaded(module: string, error: unknown): void {
    const reason = reportFailure(error).text.replace(
      /^Cannot (?:load the service|(?:serve|load)(?: service)? module \S+): /,
      "",
    );
    this.#failed(
      `Cannot reload ${shortPath(module)}: ${reason.replace(/\.$/, "")}`,
      "The former version goes on",
    );
  }

  #failed(text: string, consequence: string): void {
    if (this.#json) getLog().error(text);
    else this.#line.write(`${text}${text.includes("\n") ? "\n" : ". "}${consequence}`);
  }

  #show(text: string): void {
    if (!this.#json) this.#line.show(text);
  }

  #listing({ manifest, pool, settings }: ServiceContainer): string {
    const { maxWorkers, concurrency, permissions } = settings;
    const each = concurrency > 1 ? `, ${concurrency} calls each` : "";
    const sandbox = permissions === "all"
      ? "with all permissions"
      : `sandboxed: ${describePermissions(permissions)}`;
    const entrypoints = entrypointRows(manifest).map(([kind = "", ...rest]) => [kind, rest.join("  ")]);
    const rows = [
      ...(entrypoints.length > 0 ? entrypoints : [["no entrypoints"]]),
      ["threads", `${pool.size} of up to ${maxWorkers}${each}, ${sandbox}`],
    ];
    return `${this.#bold(escapeControls(manifest.name))}\n${alignColumns(rows, "  ")}`;
  }

  #bold(text: string): string {
    return this.#io.colors ? `\x1b[1m${text}\x1b[0m` : text;
  }
}

/** Shortens the URL of a file to its path, relative to the working folder if the file is in it. */
function shortPath(url: string): string {
  if (!url.startsWith("file:")) return url;
  const path = fileURLToPath(url);
  const here = relative(Deno.cwd(), path);
  return here.startsWith("..") ? path : here;
}

/** The most calls that a stop names. */
const NAMED_CALLS = 3;

function stillRunning(calls: readonly RunningCall[]): string {
  const count = calls.length === 1 ? "1 call that still runs" : `${calls.length} calls that still run`;
  const named = calls.toSorted((a, b) => b.age - a.age).slice(0, NAMED_CALLS);
  const names = named.map(({ name, age }) => `${name} (${(age / 1_000).toFixed(1)} s)`).join(", ");
  return `${count}: ${names}${calls.length > NAMED_CALLS ? ", …" : ""}`;
}
