import assert from "node:assert/strict";
import { memory } from "../../extensions/memory/mod.ts";
import { type LocalAnswer, ServiceMessenger } from "../../extensions/service_messenger.ts";
import { CallTimeoutError } from "../../runtime/message/errors.ts";

const REQUEST = { service: "here", method: "ask", body: "question", headers: {} };

function messengerOf(answer: LocalAnswer): ServiceMessenger {
  const never = () => Promise.reject(new Error("nobody asks others here"));
  return new ServiceMessenger({
    service: "asking",
    transport: memory(),
    local: new Map([["here", answer]]),
    guards: new Map(),
    createAudience: never,
    createCaller: never,
  });
}

/** Runs a task, and gives the number of timers that it has set. */
async function timersOf(task: () => Promise<unknown>): Promise<number> {
  const { setTimeout } = globalThis;
  let count = 0;
  globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => {
    count++;
    return setTimeout(...args);
  }) as typeof setTimeout;
  try {
    await task();
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  return count;
}

Deno.test("ServiceMessenger sets no timer for an answer of this process that is there at once", async () => {
  await using messenger = messengerOf(({ body }) => `${body}!`);
  const timers = await timersOf(async () => {
    assert.equal(await messenger.request(REQUEST, { timeout: 1_000 }), "question!");
  });
  assert.equal(timers, 0);
});

Deno.test("ServiceMessenger gives a half in this process a signal that aborts when its time is up", async () => {
  const aborted = Promise.withResolvers<void>();
  await using messenger = messengerOf((_request, _service, { signal }) => {
    signal?.addEventListener("abort", () => aborted.resolve());
    return Promise.withResolvers<string>().promise;
  });
  await assert.rejects(messenger.request(REQUEST, { timeout: 5 }), CallTimeoutError);
  await aborted.promise;
});

Deno.test("ServiceMessenger limits a half in this process that takes no signal, too", async () => {
  await using messenger = messengerOf(() => Promise.withResolvers<string>().promise);
  await assert.rejects(messenger.request(REQUEST, { timeout: 5 }), CallTimeoutError);
});

Deno.test("ServiceMessenger gives a half in this process a signal that aborts with the asker's", async () => {
  const controller = new AbortController();
  let heard: unknown;
  await using messenger = messengerOf((_request, _service, { signal }) => {
    signal?.addEventListener("abort", () => heard = signal.reason);
    controller.abort("enough");
    return Promise.withResolvers<string>().promise;
  });
  await assert.rejects(
    messenger.request(REQUEST, { timeout: 60_000, signal: controller.signal }),
    (error) => error === "enough",
  );
  assert.equal(heard, "enough");
});
