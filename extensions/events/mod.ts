/** The author's half of events. Every thread loads it, and it opens nothing. */
export { event, type EventOptions } from "./event.ts";
export type { EventDelivery } from "./topology.ts";
export { type Dispatcher, dispatcher, type DispatcherOptions, type EmitOptions } from "./dispatcher.ts";
export type { DispatchOptions } from "./event_message.ts";
export type { EventPayload, EventsOf } from "./event_source.ts";
