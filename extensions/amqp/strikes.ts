import type { BrokerError } from "../../runtime/message/errors.ts";
import type { Link } from "./link.ts";
import { giveUp, refusal } from "./refusal.ts";

/** Number of connections that one thing may cost before it is given up. */
const LIMIT = 3;

/** Counts the connections that the broker has closed while it had one and the same thing to answer. */
export class Strikes {
  #count = 0;
  #verdict: BrokerError | undefined;

  /** The error of a thing that is given up. */
  get verdict(): BrokerError | undefined {
    return this.#verdict;
  }

  /** Counts a lost link, and returns the error to throw. */
  count(link: Link, action: string, lost: Error): BrokerError {
    if (link.refusal === undefined) return refusal(action, lost);
    const error = refusal(action, lost, "The broker closed the connection for it");
    if (++this.#count >= LIMIT) this.#verdict = giveUp(error);
    return error;
  }

  /** Begins anew, because the broker has accepted the thing. */
  clear(): void {
    this.#count = 0;
    this.#verdict = undefined;
  }
}
