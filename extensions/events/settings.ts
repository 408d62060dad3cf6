import type { Section, SettingTable } from "../../runtime/config/section.ts";

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

/** The settings that this file reads. */
export const EVENT_SETTINGS: SettingTable = {
  DECLARE_EVENT_EXCHANGES: {
    kind: "flag",
    default: true,
    about: "whether the exchanges of events are declared",
  },
  AUTO_DELETE_EVENT_EXCHANGES: {
    kind: "flag",
    default: false,
    about: "whether the broker deletes them when nothing is bound",
  },
};
