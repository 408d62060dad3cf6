import { deepStrictEqual, throws } from "node:assert/strict";
import { eventSettings } from "../../../extensions/events/settings.ts";
import { Section } from "../../../runtime/config/section.ts";

Deno.test("eventSettings() has Nameko's defaults, and refuses what is not true or false", () => {
  deepStrictEqual(eventSettings(new Section({})), { declareExchanges: true, autoDeleteExchanges: false });
  throws(
    () => eventSettings(new Section({ DECLARE_EVENT_EXCHANGES: 1 })),
    /"DECLARE_EVENT_EXCHANGES": got 1, expected true or false/,
  );
});
