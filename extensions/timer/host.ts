import { runHeld } from "../../runtime/hosting/held_calls.ts";
import { ConfigurationError } from "../../runtime/message/errors.ts";
import type { Entrypoint, EntrypointHost, HostedEntrypoint } from "../../runtime/hosting/host.ts";
import { cronSchedule } from "./cron_schedule.ts";
import { electionTopology, standForElection } from "./election.ts";
import { intervalSchedule, type Schedule } from "./schedule.ts";
import { TICK } from "./tick.ts";
import { keepSchedule } from "./timekeeper.ts";

interface Timer {
  readonly entry: HostedEntrypoint;
  readonly schedule: Schedule;
  /** Queue at which the instances elect the one that ticks; undefined if every instance ticks. */
  readonly queue: string | undefined;
}

/** Fires the ticks of a service: either those of `timer` or those of `cron`. */
export class TimerHost implements Entrypoint {
  readonly #host: EntrypointHost;
  readonly #timers: readonly Timer[];
  readonly #stopping = new AbortController();
  #running: readonly Promise<void>[] = [];

  /** @throws {ConfigurationError} If a cron pattern or its time zone is not valid. */
  constructor(entries: readonly HostedEntrypoint[], host: EntrypointHost) {
    this.#host = host;
    const queueOf = electionQueues(host.service);
    this.#timers = entries.map((entry) => ({
      entry,
      schedule: scheduleOf(entry, host),
      queue: entry.options["once"] === "cluster" ? queueOf(entry) : undefined,
    }));
  }

  async setup(): Promise<void> {
    for (const { queue } of this.#timers) {
      if (queue !== undefined) await this.#host.transport.declare(electionTopology(queue));
    }
  }

  start(): Promise<void> {
    this.#running = this.#timers.map((timer) => this.#keep(timer));
    for (const running of this.#running) this.#host.watch(running);
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#stopping.abort();
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Promise.allSettled(this.#running);
  }

  async #keep({ entry, schedule, queue }: Timer): Promise<void> {
    const { transport, log, clock } = this.#host;
    const { signal } = this.#stopping;
    const start = schedule.now();
    const tick = async () => void await runHeld(this.#host, entry, TICK, { signal });
    const lead = (signal: AbortSignal) => keepSchedule(schedule, { start, tick, signal });
    if (queue === undefined) await lead(signal);
    else {await standForElection(transport, {
        queue,
        name: `${this.#host.service}.${entry.method}`,
        lead,
        log,
        signal,
        clock,
      });}
    if (!signal.aborted) {
      log.warning(`${entry.kind} ${this.#host.service}.${entry.method} has no more due times`);
    }
  }
}

function scheduleOf(
  { method, options }: HostedEntrypoint,
  { service, clock }: Pick<EntrypointHost, "service" | "clock">,
): Schedule {
  const { interval, eager, pattern, timezone } = options;
  if (typeof interval === "number") {
    return intervalSchedule({ interval: interval * 1_000, eager: eager === true, clock });
  }
  try {
    return cronSchedule({
      pattern: String(pattern),
      timezone: typeof timezone === "string" ? timezone : undefined,
      clock,
    });
  } catch (cause) {
    throw new ConfigurationError(
      `Cannot schedule "${service}.${method}": ${(cause as Error).message}`,
      { cause },
    );
  }
}

/**
 * Names the election queues `enoki.<kind>.<service>.<method>`. If a method has several entrypoints of the
 * kind, a number follows from the second one on.
 */
function electionQueues(service: string): (entry: HostedEntrypoint) => string {
  const counts = new Map<string, number>();
  return ({ kind, method }) => {
    const name = `enoki.${kind}.${service}.${method}`;
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return count === 1 ? name : `${name}.${count}`;
  };
}
