/** The half of timers that authors of services use. It loads in every thread and opens nothing. */
export { timer, type TimerOptions, type TimerSpec } from "./timer.ts";
export { cron, type CronOptions, type CronSpec } from "./cron.ts";
export type { TickOptions } from "./tick_options.ts";
