/** The author's half of timers: loads in every thread, opens nothing. */
export { timer, type TimerOptions, type TimerSpec } from "./timer.ts";
export { cron, type CronOptions, type CronSpec } from "./cron.ts";
export type { TickOptions } from "./tick_options.ts";
