/** The oldest Deno that the tests run on: that of compiled binaries. */
export const OLDEST_DENO = "2.4.2";

/** Says in a sentence that a version of Deno is too old for this program; undefined if it is not. */
export function complaintAboutDeno(version: string): string | undefined {
  const [major = 0, minor = 0, patch = 0] = numbersOf(version);
  const [leastMajor = 0, leastMinor = 0, leastPatch = 0] = numbersOf(OLDEST_DENO);
  const difference = major - leastMajor || minor - leastMinor || patch - leastPatch;
  return difference >= 0
    ? undefined
    : `Cannot run on Deno ${version}: Enoki needs ${OLDEST_DENO} or newer. Run deno upgrade`;
}

/** Reads `2.5.0-rc.1+abc` as 2, 5 and 0. */
function numbersOf(version: string): readonly number[] {
  return version.split(/[.+-]/, 3).map(Number);
}
