/** Returns the name of this machine; undefined if the program may not know it. */
export function machineName(): string | undefined {
  try {
    return Deno.hostname();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}
