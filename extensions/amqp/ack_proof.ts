import type { Acknowledgements } from "./acknowledgements.ts";
import type { Channel } from "./client_library.ts";

/** Asks the broker of one channel whether it has handled the acknowledgements that were given. */
export class AckProof {
  readonly acknowledgements: Acknowledgements;
  readonly #channel: Pick<Channel, "prefetch">;
  #asking: Promise<unknown> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(channel: Pick<Channel, "prefetch">, acknowledgements: Acknowledgements) {
    this.#channel = channel;
    this.acknowledgements = acknowledgements;
  }

  /**
   * Resolves once the broker has handled all acknowledgements until now; rejects if the channel has closed.
   *
   * @param prefetch The question is to set this prefetch again. The broker applies it to later consumers alone.
   */
  handled(prefetch: number): Promise<void> {
    return this.#next ??= this.#ask(prefetch);
  }

  /** Asks one question for all who come while the broker answers the last one. */
  async #ask(prefetch: number): Promise<void> {
    await this.#asking.catch(() => {});
    this.#next = undefined;
    this.acknowledgements.flush();
    this.#asking = this.#channel.prefetch(prefetch);
    await this.#asking;
  }
}
