import type { Messenger } from "../../message/messenger.ts";
import type { Message } from "../../message/transport.ts";
import type { Call } from "../../service/call.ts";
import type { Diversion, OutgoingOptions } from "../../service/effects/diversion.ts";

/**
 * Sends what the calls of a thread publish: by the messenger, or as a dependency says that has diverted a call.
 *
 * While no dependency diverts, a message costs one comparison more.
 */
export class Diversions {
  readonly #messenger: Messenger;
  #byCall: WeakMap<Call, Diversion> | undefined;

  constructor(messenger: Messenger) {
    this.#messenger = messenger;
  }

  /** @throws {TypeError} If another dependency has diverted the call. */
  divert(call: Call, publish: Diversion): void {
    const diverted = this.#byCall ??= new WeakMap();
    if (diverted.has(call)) {
      throw new TypeError(
        `Cannot divert what ${call.service}.${call.method} publishes: two dependencies keep an outbox. ` +
          "Let only one of them keep it",
      );
    }
    diverted.set(call, publish);
  }

  publish(call: Call, message: Message, options: OutgoingOptions = {}): Promise<void> {
    const { signal, outbox = true } = options;
    const diversion = outbox ? this.#byCall?.get(call) : undefined;
    if (diversion !== undefined) return diversion(message, options);
    return this.#messenger.publish(message, signal && { signal });
  }
}
