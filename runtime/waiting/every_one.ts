/**
 * Waits for all steps even if one fails. Otherwise what cleans up could begin while a step still runs,
 * and would miss this step.
 */
export async function everyOne(steps: readonly (Promise<void> | undefined)[]): Promise<void> {
  const failure = (await Promise.allSettled(steps)).find((step) => step.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}
