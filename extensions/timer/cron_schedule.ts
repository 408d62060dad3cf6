import { Cron } from "npm:croner@11.0.1";
import { ConfigurationError } from "../../runtime/message/errors.ts";
import type { Clock } from "../../runtime/waiting/clock.ts";
import type { Schedule } from "./schedule.ts";

/**
 * Makes a schedule that ticks at the times of day of a cron pattern.
 *
 * @throws {ConfigurationError} If the pattern is not valid, or the time zone does not exist.
 */
export function cronSchedule(
  { pattern, timezone, clock }: {
    readonly pattern: string;
    readonly timezone: string | undefined;
    readonly clock: Clock;
  },
): Schedule {
  const dates = readPattern(pattern, timezone);
  return {
    clock,
    now: () => clock.now(),
    eager: false,
    next: (time) => dates.nextRun(new Date(time))?.getTime(),
  };
}

function readPattern(pattern: string, timezone: string | undefined): Cron {
  const refuse = (reason: string, cause?: unknown) =>
    new ConfigurationError(`Cannot read cron pattern "${pattern}": ${reason}`, { cause });
  try {
    new Intl.DateTimeFormat("en", timezone === undefined ? {} : { timeZone: timezone });
  } catch (error) {
    throw refuse(`there is no time zone "${timezone}". Use an IANA name such as Europe/Berlin`, error);
  }
  let dates: Cron;
  try {
    dates = new Cron(pattern, timezone === undefined ? {} : { timezone });
  } catch (error) {
    throw refuse((error as Error).message.replace(/^Cron\w*: /, "").replace(/\.$/, ""), error);
  }
  if (dates.getPattern() === undefined) throw refuse("it is a date. Use five to seven fields");
  return dates;
}
