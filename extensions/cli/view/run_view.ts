import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunningCall } from "../../../runtime/pool/running_calls.ts";
import type { BrokerError, ServiceLoadError } from "../../../runtime/message/errors.ts";
import { getLog, type LogFormat } from "../../../runtime/log/observe.ts";
import { escapeControls, escapeControlsInLines } from "../../../runtime/log/terminal_text.ts";
import type { Progress } from "../../../runtime/serving/service_set.ts";
import type { CommandIo } from "../command_io.ts";
import type { Running } from "../../serve.ts";
import { reportFailure } from "./failure_report.ts";
import { ProgressLine } from "./progress_line.ts";
import type { ReadyReport } from "./ready_report.ts";
import { alignColumns } from "./service_listing.ts";

/** Shows what `run` does: in lines for people, or in log records if the log is JSON for programs. */
export class RunView {
  readonly #io: CommandIo;
  readonly #json: boolean;
  readonly #isSupervised: boolean;
  readonly #line: ProgressLine;
  readonly #startedAt = performance.now();

  /** @param isSupervised Whether a supervisor says what is the same for all its processes. @default {false} */
  constructor(io: CommandIo, format: LogFormat, isSupervised = false) {
    this.#io = io;
    this.#isSupervised = isSupervised;
    this.#json = format === "json";
    this.#line = new ProgressLine(io);
  }

  /** Writes a line of the log. */
  log(line: string): void {
    this.#line.write(line);
  }

  /** Shows a short message. */
  say(text: string): void {
    if (this.#isSupervised) return;
    this.#tell(text);
  }

  #tell(text: string): void {
    if (this.#json) getLog().info(text);
    else this.#line.write(escapeControlsInLines(text));
  }

  /**
   * Shows that the start has begun.
   *
   * @param processes How many processes are started; undefined if this one serves.
   */
  starting(processes?: number): void {
    this.#show(processes === undefined ? "Connecting to the broker" : `Starting ${counted(processes)}`);
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

  /**
   * Shows that the services answer calls.
   *
   * @param pids The processes that have these services; undefined if they are in this one.
   */
  ready({ services, broker, http, streams }: ReadyReport, pids?: readonly number[]): void {
    this.clear();
    const took = Math.round(performance.now() - this.#startedAt);
    if (this.#json) {
      getLog().info("Ready", {
        services: services.map(({ name }) => name),
        broker,
        ...(http !== undefined && { http }),
        ...(streams.length > 0 && { streams }),
        ...(pids !== undefined && { processes: pids }),
        took,
      });
      return;
    }
    const listings = services.map(({ name, rows }) =>
      `${this.#bold(escapeControls(name))}\n${alignColumns(rows, "  ")}`
    );
    const places = [broker, ...(http === undefined ? [] : [http]), ...streams.map(escapeControls)];
    const last = places.pop();
    const on = places.length === 0 ? last : `${places.join(", ")} and ${last}`;
    const parts = pids === undefined ? "" : ` in ${counted(pids.length)}`;
    this.#line.write(
      `\n${listings.join("\n\n")}\n\nReady on ${on}${parts} after ${took} ms. Press Ctrl-C to stop\n`,
    );
  }

  /**
   * Shows that the polite stop begins.
   *
   * @param grace Milliseconds that it may take.
   */
  stopping({ containers }: Running, grace: number): void {
    const calls = [...containers.values()].flatMap(({ running }) => running);
    if (this.#isSupervised && calls.length === 0) return;
    this.#afterInterrupt();
    this.#tell(
      `Stopping ${[...containers.keys()].join(", ")}` +
        (calls.length === 0
          ? ""
          : `: waiting for ${stillRunning(calls)}. At most ${
            Math.round(grace / 1_000)
          } s more; press Ctrl-C again to abort`),
    );
  }

  /** Shows that several processes stop. */
  stoppingProcesses(processes: number): void {
    this.#afterInterrupt();
    this.say(`Stopping ${counted(processes)}`);
  }

  /** The terminal has just written ^C at the cursor. */
  #afterInterrupt(): void {
    if (this.#io.terminal) this.#io.writeMessage("\r");
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
    if (!this.#json && !this.#isSupervised) this.#line.show(text);
  }

  #bold(text: string): string {
    return this.#io.colors ? `\x1b[1m${text}\x1b[0m` : text;
  }
}

function counted(processes: number): string {
  return processes === 1 ? "1 process" : `${processes} processes`;
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
