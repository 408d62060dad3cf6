/** Formats times as Python's `time.strftime()` does, as far as log files use it. */
const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

/** The parts of a time, in the zone that they are wanted in. */
interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** Minutes east of UTC. */
  readonly offset: number;
}

function partsOf(time: number, isUtc: boolean): Parts {
  const date = new Date(time);
  const offset = isUtc ? 0 : -date.getTimezoneOffset();
  const shifted = new Date(time + offset * 60_000);
  return {
    year: shifted.getUTCFullYear(),
    month: shifted.getUTCMonth(),
    day: shifted.getUTCDate(),
    weekday: shifted.getUTCDay(),
    hour: shifted.getUTCHours(),
    minute: shifted.getUTCMinutes(),
    second: shifted.getUTCSeconds(),
    offset,
  };
}

function padded(value: number, width = 2): string {
  return String(value).padStart(width, "0");
}

const DIRECTIVES: Readonly<Record<string, (parts: Parts) => string>> = {
  a: ({ weekday }) => WEEKDAYS[weekday]!.slice(0, 3),
  A: ({ weekday }) => WEEKDAYS[weekday]!,
  b: ({ month }) => MONTHS[month]!.slice(0, 3),
  B: ({ month }) => MONTHS[month]!,
  d: ({ day }) => padded(day),
  e: ({ day }) => String(day).padStart(2),
  F: ({ year, month, day }) => `${year}-${padded(month + 1)}-${padded(day)}`,
  H: ({ hour }) => padded(hour),
  I: ({ hour }) => padded(hour % 12 || 12),
  m: ({ month }) => padded(month + 1),
  M: ({ minute }) => padded(minute),
  p: ({ hour }) => hour < 12 ? "AM" : "PM",
  S: ({ second }) => padded(second),
  T: ({ hour, minute, second }) => [hour, minute, second].map((part) => padded(part)).join(":"),
  y: ({ year }) => padded(year % 100),
  Y: ({ year }) => String(year),
  z: ({ offset }) =>
    `${offset < 0 ? "-" : "+"}${padded(Math.floor(Math.abs(offset) / 60))}${padded(Math.abs(offset) % 60)}`,
  Z: ({ offset }) => offset === 0 ? "UTC" : DIRECTIVES["z"]!({ offset } as Parts),
  "%": () => "%",
};

/** Formats a time. What it does not know stays as it is. */
export function formatTime(time: number, format: string, isUtc = false): string {
  const parts = partsOf(time, isUtc);
  return format.replaceAll(/%([A-Za-z%])/g, (text, letter: string) => DIRECTIVES[letter]?.(parts) ?? text);
}
