import { within } from "../../../runtime/waiting/abort.ts";
import type { CommandIo, StopSignal } from "../command_io.ts";
import { EXIT } from "../view/failure_report.ts";
import type { RunView } from "../view/run_view.ts";

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

/** Listens for the first and the second request to stop. */
export class StopRequests implements Disposable {
  readonly #first = new AbortController();
  readonly #second = new AbortController();
  readonly #requested = Promise.withResolvers<void>();
  readonly #again = Promise.withResolvers<void>();
  readonly #listening: Disposable;
  #status: number = EXIT.fine;

  constructor(io: Pick<CommandIo, "onStop">) {
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
    view.say("Aborting: calls that still run are cut short");
    await within(ABORT_LIMIT, service).catch(() => {});
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }
}
