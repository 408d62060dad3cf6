/** The author's half of events. Every thread loads it, and it opens nothing. */
export { event, type EventDelivery, type EventOptions } from "./event.ts";
export { type Dispatcher, dispatcher, type DispatcherOptions, type EmitOptions } from "./dispatcher.ts";
export type { DispatchOptions } from "./event_message.ts";
