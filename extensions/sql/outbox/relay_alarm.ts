import type { DependencyHost } from "../../../runtime/service/dependency.ts";

/** What a thread asks its half in the main thread when there is something in the outbox. */
export const WAKE = "wake the relay";

/** Wakes the relay of this process. What it does not hear, it finds when it looks into the outbox the next time. */
export class RelayAlarm {
  readonly #host: Pick<DependencyHost, "ask">;
  #isRinging = false;
  #isAgain = false;

  constructor(host: Pick<DependencyHost, "ask">) {
    this.#host = host;
  }

  /** One question at a time is enough, with another one after it. */
  ring(): void {
    this.#isAgain = this.#isRinging;
    if (this.#isRinging) return;
    this.#isRinging = true;
    this.#host.ask(WAKE).catch(() => {}).finally(() => {
      this.#isRinging = false;
      if (this.#isAgain) this.ring();
    });
  }
}
