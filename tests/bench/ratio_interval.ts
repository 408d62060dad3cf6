/** A ratio, and the bounds that hold the true one in 95 of 100 such measurements. */
export interface RatioInterval {
  readonly low: number;
  readonly ratio: number;
  readonly high: number;
}

/** The point of the normal distribution that 97.5 % lie below. */
const NORMAL = 1.959964;

/**
 * Tells how many times the second of each pair is the first, with 95 % confidence.
 *
 * It is the t-interval of the logarithms of the ratios: a slow minute hits both of a pair, so it cancels out.
 */
export function ratioInterval(pairs: readonly (readonly [base: number, measured: number])[]): RatioInterval {
  const logs = pairs.map(([base, measured]) => Math.log(measured / base));
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (logs.length - 1);
  const reach = studentPoint(logs.length - 1) * Math.sqrt(variance / logs.length);
  return { low: Math.exp(mean - reach), ratio: Math.exp(mean), high: Math.exp(mean + reach) };
}

/** The point of Student's distribution that 97.5 % lie below, by Cornish's and Fisher's series: 1 % off at four degrees. */
function studentPoint(degrees: number): number {
  const z = NORMAL;
  const terms = [
    z,
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
  ];
  return terms.reduce((sum, term, power) => sum + term / degrees ** power, 0);
}
