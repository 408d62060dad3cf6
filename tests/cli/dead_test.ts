import assert from "node:assert/strict";
import { local } from "../../extensions/local/mod.ts";
import { bury } from "../../runtime/hosting/message_fate.ts";
import type { Transport } from "../../runtime/message/transport.ts";
import { enoki, withBroker } from "./command.ts";

/** Runs a test against a broker where two messages of queue `jobs` are dead. */
async function withDeadJobs(
  test: (dead: (...argv: string[]) => ReturnType<typeof enoki>, transport: Transport) => Promise<void>,
): Promise<void> {
  await withBroker(async (broker) => {
    await using transport = local({ address: broker });
    await transport.connect();
    await transport.declare({ queues: [{ name: "jobs" }] });
    const outbox = { transport, queue: "jobs", signal: new AbortController().signal };
    for (const [body, message] of [["{}", "boom"], [new Uint8Array([0, 255]), "two\nlines"]] as const) {
      await bury(
        outbox,
        {
          exchange: "shop",
          routingKey: "jobs.new",
          redelivered: false,
          signal: new AbortController().signal,
          body: typeof body === "string" ? new TextEncoder().encode(body) : body,
          properties: { contentType: "application/json", headers: { "nameko.language": "de" } },
        },
        "retries used up",
        { name: "Error", message, code: "ERROR", retryable: false },
      );
    }
    await test((action = "", ...argv) => enoki(["dead", action, "--broker", broker, ...argv]), transport);
  });
}

Deno.test("enoki dead list prints a line about each message", () =>
  withDeadJobs(async (dead) => {
    const { status, out, err } = await dead("list", "jobs");
    assert.deepEqual([status, err], [0, ""]);
    const time = String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`;
    assert.match(
      out,
      new RegExp(
        `^1  ${time}  retries used up  1 attempt  2 B  Error: boom\n2  ${time}  retries used up  1 attempt  2 B  Error: two lines\n$`,
      ),
    );
  }));

Deno.test("enoki dead list --json prints data", () =>
  withDeadJobs(async (dead) => {
    const { out } = await dead("list", "--json", "jobs");
    const [first, second] = JSON.parse(out);
    const { at: _at, ...rest } = first;
    assert.deepEqual(rest, {
      number: 1,
      reason: "retries used up",
      error: "Error: boom",
      attempts: 1,
      size: 2,
    });
    assert.equal(second.error, "Error: two\nlines");
  }));

Deno.test("enoki dead list says so where nothing is dead", () =>
  withDeadJobs(async (dead) => {
    await dead("purge", "--yes", "jobs");
    assert.deepEqual(await dead("list", "jobs"), {
      status: 0,
      out: "",
      err: 'Queue "jobs" has no dead messages\n',
    });
  }));

Deno.test("enoki dead list says so where there is no such queue", () =>
  withDeadJobs(async (dead) => {
    const { status, out, err } = await dead("list", "other");
    assert.deepEqual([status, out], [0, ""]);
    assert.match(err, /^There is no queue "other", .*\n$/);
  }));

Deno.test("enoki dead show prints what a message says, and its body", () =>
  withDeadJobs(async (dead) => {
    const { status, out } = await dead("show", "jobs", "1");
    assert.equal(status, 0);
    assert.match(out, /^number +1$/m);
    assert.match(out, /^exchange +shop$/m);
    assert.match(out, /^routingKey +jobs\.new$/m);
    assert.match(out, /^headers +\{"nameko\.language":"de"\}$/m);
    assert.match(out, /\n\n\{\}\n$/);
  }));

Deno.test("enoki dead show prints a body that is no text as base64", () =>
  withDeadJobs(async (dead) => {
    assert.match((await dead("show", "jobs", "2")).out, /\n\nbase64: AP8=\n$/);
  }));

Deno.test("enoki dead show ends with 2 where there is no such message", () =>
  withDeadJobs(async (dead) => {
    assert.deepEqual(await dead("show", "jobs", "3"), {
      status: 2,
      out: "",
      err: 'Cannot find dead message 3 of queue "jobs": see enoki dead list jobs\n',
    });
  }));

Deno.test("enoki dead replay sends a message to its queue", () =>
  withDeadJobs(async (dead, transport) => {
    const { status, err } = await dead("replay", "jobs", "2");
    assert.deepEqual([status, err], [0, 'Replayed 1 dead message to queue "jobs"\n']);
    assert.equal(await transport.countMessages("jobs"), 1);
  }));

Deno.test("enoki dead replay sends all messages to their queue", () =>
  withDeadJobs(async (dead, transport) => {
    const { status, err } = await dead("replay", "jobs");
    assert.deepEqual([status, err], [0, 'Replayed 2 dead messages to queue "jobs"\n']);
    assert.equal(await transport.countMessages("jobs"), 2);
  }));

Deno.test("enoki dead replay ends with 3 where the queue is gone", () =>
  withDeadJobs(async (dead, transport) => {
    await transport.deleteQueue("jobs");
    const { status, err } = await dead("replay", "jobs");
    assert.equal(status, 3);
    assert.match(
      err,
      /^Cannot publish to queue "jobs": there is none\. Start what declares it, or check the name\n$/,
    );
  }));

Deno.test("enoki dead purge asks for --yes, and deletes nothing without", () =>
  withDeadJobs(async (dead) => {
    const { status, err } = await dead("purge", "jobs");
    assert.equal(status, 2);
    assert.match(
      err,
      /^Purging would delete 2 dead messages of queue "jobs" for good\. Confirm with --yes\n$/,
    );
    assert.notEqual((await dead("list", "jobs")).out, "");
  }));

Deno.test("enoki dead purge --yes deletes them", () =>
  withDeadJobs(async (dead) => {
    const { status, err } = await dead("purge", "--yes", "jobs");
    assert.deepEqual([status, err], [0, 'Deleted 2 dead messages of queue "jobs"\n']);
    assert.equal((await dead("list", "jobs")).out, "");
  }));

Deno.test("enoki dead show refuses a number that is none", async () => {
  const { status, err } = await enoki(["dead", "show", "jobs", "first"]);
  assert.equal(status, 2);
  assert.match(
    err,
    /^Cannot use argument first: it must be an integer, 1 or more\nSee enoki dead show --help\n$/,
  );
});

Deno.test("enoki dead without an action ends with 2 and says which there are", async () => {
  const { status, err } = await enoki(["dead"]);
  assert.equal(status, 2);
  assert.match(err, /dead list\|show\|replay\|purge/);
});
