import type { NumberOption } from "./number_options.ts";

/** How often something may happen. */
export interface Rate {
  /** How often in a second, on average. */
  readonly perSecond: number;
  /** How often at once, after a pause. @default {the rate per second, at least 1} */
  readonly burst?: number;
}

/** What the numbers of a rate may be. */
export const RATE: Readonly<Record<keyof Rate, NumberOption>> = {
  perSecond: { least: 0.001, most: 1_000_000, absent: "required" },
  burst: { least: 1, most: 1_000_000, whole: true },
};
