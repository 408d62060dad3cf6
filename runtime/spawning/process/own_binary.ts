/** How a binary becomes the process of a service: it starts itself with a word that users do not use. */

/** First word on the command line of a binary that runs as the process of a service. */
export const SERVICE_WORD = "__service";

let isPrepared = false;

/**
 * Runs this binary as the process of a service, and ends it, if it was started as one. The main module of a binary that
 * is to have such processes calls this function first.
 *
 * @param args The arguments of the program.
 */
export async function becomeServiceProcess(args: readonly string[]): Promise<void> {
  isPrepared = true;
  if (Deno.build.standalone && args[0] === SERVICE_WORD) await import("./main.ts");
}

/** Whether this binary becomes the process of a service when it is started as one. */
export function canStartItself(): boolean {
  return isPrepared;
}
