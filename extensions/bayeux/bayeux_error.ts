import type { Reconnect } from "./advice.ts";

/** A request to the Bayeux server that has failed. The message has no secrets. */
export class BayeuxError extends Error {
  override readonly name = "BayeuxError";
  /** Whether the server has answered, or could not be reached. */
  readonly answered: boolean;
  /** What is to be done next. */
  readonly reconnect: Reconnect;

  constructor(message: string, { answered, reconnect }: Pick<BayeuxError, "answered" | "reconnect">) {
    super(message);
    this.answered = answered;
    this.reconnect = reconnect;
  }
}
