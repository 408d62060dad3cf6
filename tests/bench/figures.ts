/** One thing that was measured, with what the same costs elsewhere. */
export interface Figure {
  readonly name: string;
  /** What the numbers count. More is better where it ends with `/s`, and less is better elsewhere. */
  readonly unit: string;
  readonly enoki: number;
  /** The same without a framework. */
  readonly bare?: number;
  /**
   * Enoki to bare, or to the only peer where nothing is bare. It may be the median over the rounds, which is not exactly
   * the quotient of the two medians.
   */
  readonly ratio?: number;
  /** The same by others, which are named with their versions. */
  readonly peers?: Readonly<Record<string, number>>;
}
