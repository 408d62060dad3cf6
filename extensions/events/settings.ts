import type { Section } from "../../runtime/config/section.ts";

/** Settings of the exchanges of events. */
export interface EventSettings {
  /** Whether dispatchers and handlers declare the exchanges. If not, somebody else must declare them. */
  readonly declareExchanges: boolean;
  /** Whether the broker deletes an exchange when nothing is bound to it any more. */
  readonly autoDeleteExchanges: boolean;
}

/** Reads `DECLARE_EVENT_EXCHANGES` and `AUTO_DELETE_EVENT_EXCHANGES`. */
export function eventSettings(at: Section): EventSettings {
  return {
    declareExchanges: at.flag("DECLARE_EVENT_EXCHANGES") ?? true,
    autoDeleteExchanges: at.flag("AUTO_DELETE_EVENT_EXCHANGES") ?? false,
  };
}
