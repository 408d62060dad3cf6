import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { OutgoingStream } from "../../../runtime/thread/outgoing_stream.ts";
import type { Chunk } from "../../../runtime/message/reply.ts";
import { ReplyStream } from "../../../runtime/message/reply_stream.ts";

/** Both halves without a thread between them. */
function connected(
  chunks: AsyncIterable<Chunk>,
): { readonly stream: ReplyStream; readonly sent: Promise<void> } {
  const source = new OutgoingStream();
  const stream = new ReplyStream(() => source.pull(), () => source.close());
  const sent = source.send(chunks, (chunk) => stream.deliver(chunk))
    .then(() => stream.end(), (error) => stream.end(error.message));
  return { stream, sent };
}

Deno.test("ReplyStream.next() asks for one chunk, and nothing is produced ahead of it", async () => {
  const produced: string[] = [];
  const { stream, sent } = connected((async function* () {
    for (const chunk of ["a", "b", "c"]) {
      produced.push(chunk);
      yield await chunk;
    }
  })());
  strictEqual(await stream.next(), "a");
  deepStrictEqual(produced, ["a"]);
  deepStrictEqual([await stream.next(), await stream.next(), await stream.next()], ["b", "c", undefined]);
  strictEqual(await stream.next(), undefined);
  await sent;
});

Deno.test("ReplyStream.next() fails with what the handler failed with", async () => {
  const { stream, sent } = connected((async function* () {
    yield await "a";
    throw new Error("broke");
  })());
  strictEqual(await stream.next(), "a");
  await rejects(stream.next(), { message: "broke" });
  await rejects(stream.next(), { message: "broke" });
  await sent;
});

Deno.test("ReplyStream.cancel() ends an iterator that waits to be asked", async () => {
  let ended = false;
  const { stream, sent } = connected((async function* () {
    try {
      for (;;) yield await "a";
    } finally {
      ended = true;
    }
  })());
  await stream.next();
  stream.cancel();
  await sent;
  strictEqual(ended, true);
});

Deno.test("ReplyStream.cancel() does not wait for an iterator that is stuck", async () => {
  const { stream, sent } = connected((async function* () {
    await new Promise(() => {});
    yield "never";
  })());
  const next = stream.next();
  await Promise.resolve();
  stream.cancel();
  await sent;
  strictEqual(await next, undefined);
});
