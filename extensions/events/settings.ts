import type { Section } from "../../runtime/config/section.ts";

/** How the exchanges of events are set. */
export interface EventSettings {
  /** Whether both sides declare them; if not, others see to it. */
  readonly declareExchanges: boolean;
  /** Whether the broker deletes one when nothing is bound to it any more. */
  readonly autoDeleteExchanges: boolean;
}

/** Reads `DECLARE_EVENT_EXCHANGES` and `AUTO_DELETE_EVENT_EXCHANGES`. */
export function eventSettings(at: Section): EventSettings {
  return {
    declareExchanges: at.flag("DECLARE_EVENT_EXCHANGES") ?? true,
    autoDeleteExchanges: at.flag("AUTO_DELETE_EVENT_EXCHANGES") ?? false,
  };
}
