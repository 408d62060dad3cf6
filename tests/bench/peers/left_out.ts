// deno-lint-ignore-file no-console -- a benchmark prints what it measured

/** Starts a peer, or prints why the benchmark leaves it out. */
export async function unlessLeftOut<Peer>(
  name: string,
  start: () => Promise<Peer>,
): Promise<Peer | undefined> {
  try {
    return await start();
  } catch (error) {
    console.log(`${name} is left out: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}
