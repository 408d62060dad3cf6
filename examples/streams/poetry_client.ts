// deno-lint-ignore-file no-console -- the example prints what happens
/**
 * Twisted's poetry client: it asks several servers at once, and ends when the last has answered or failed.
 *
 * `deno run --allow-net poetry_client.ts tcp://localhost:10000 tcp://localhost:10001`
 */
import { connectStream } from "@enoki/enoki/stream";

/** Returns the poem of one server. */
async function poemOf(address: string): Promise<string> {
  const decoder = new TextDecoder();
  let poem = "";
  const connection = await connectStream(address, {
    received: (_connection, data) => void (poem += decoder.decode(data, { stream: true })),
  });
  const { code, message } = await connection.ended;
  if (code !== "ended") throw new Error(`the poem is not whole: ${message}`);
  return poem;
}

const poems = await Promise.allSettled(Deno.args.map(poemOf));
for (const [at, poem] of poems.entries()) {
  if (poem.status === "fulfilled") console.log(poem.value);
  else console.error(`Poem failed: ${Deno.args[at]}: ${poem.reason.message}`);
}
