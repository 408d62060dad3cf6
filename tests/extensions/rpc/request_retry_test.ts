import assert from "node:assert/strict";
import { connect, run } from "../../../extensions/run.ts";
import { DEFAULT_EXCHANGE } from "../../../extensions/rpc/settings.ts";
import { messagepack } from "../../../extensions/messagepack/mod.ts";
import { rpcTopology } from "../../../extensions/rpc/topology.ts";
import { Retry, rpc, service } from "../../../mod.ts";
import { RemoteError } from "../../../runtime/message/errors.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import type { FieldTable } from "../../../runtime/message/transport.ts";
import { BROKERS, isMissing } from "../../fixtures/brokers.ts";

const lines: string[] = [];
configureLogging({ write: (line) => void lines.push(line) });

const { exchange, queueOf, service: serviceTopology, caller, replyQueueOf } = rpcTopology(DEFAULT_EXCHANGE);

const FAST = { max: 3, backoff: 40 };

class OutOfStock extends Error {}

/** Serves handlers that fail until they are told not to, one call at a time. */
function retrying(name: string) {
  const seen: Record<string, { at: number; headers: FieldTable; left: number | undefined }[]> = {};
  /** Notes a call of a key, and returns how often the key has been called. */
  const note = (
    key: string,
    { headers, deadline }: { headers: FieldTable; deadline?: number | undefined },
  ) => {
    const left = deadline === undefined ? undefined : deadline - Date.now();
    return (seen[key] ??= []).push({ at: performance.now(), headers, left });
  };
  const served = service(name, {
    entrypoints: {
      fails: rpc({ retry: FAST, expected: ["OutOfStock"], serializers: [messagepack] }),
      asks: rpc({ serializers: [messagepack] }),
      asksLittle: rpc({ retry: { max: 1 } }),
      echo: rpc(),
      plain: rpc(),
    },
    handlers: {
      fails({ call }, key: string, failures: number, expected: boolean) {
        const count = note(key, call);
        if (count <= failures) throw expected ? new OutOfStock("none left") : new Error(`failure ${count}`);
        return count;
      },
      asks({ call }, key: string, failures: number, after: number) {
        const count = note(key, call);
        if (count <= failures) throw new Retry({ after, cause: new Error("not yet") });
        return count;
      },
      asksLittle({ call }, key: string) {
        note(key, call);
        throw new Retry({ after: 1, cause: new Error("never") });
      },
      echo: (_context, value: string) => value,
      plain({ call }, key: string) {
        note(key, call);
        throw new Error("as ever");
      },
    },
  });
  return { served, seen };
}

for (const [kind, open] of Object.entries(BROKERS)) {
  Deno.test({
    name: `${kind}: RPC requests whose handlers fail are tried again`,
    ignore: isMissing(kind),
    fn: async (test) => {
      await using broker = await open();
      const name = `enoki_retry_${crypto.randomUUID().slice(0, 8)}`;
      const { served, seen } = retrying(name);
      await using transport = await broker.transport();
      await using _swept = { [Symbol.asyncDispose]: () => transport.deleteQueue(queueOf(name)) };
      await using running = await run([served], {
        broker: await broker.transport(),
        config: { max_workers: 1 },
      });
      const cluster = await connect({ broker: await broker.transport(), timeout: 10_000 });
      await using _cluster = { [Symbol.asyncDispose]: () => cluster.close() };
      const remote = cluster.client(name);

      await test.step("a policy tries again, and the caller gets the answer of the last attempt", async () => {
        assert.equal(await remote["fails"]!("policy", 2, false), 3);
        const [first, second, third] = seen["policy"]!;
        assert.ok(second!.at - first!.at >= 38 && third!.at - second!.at >= 38);
      });

      await test.step("Retry does so without a policy", async () => {
        assert.equal(await remote["asks"]!("asked", 1, 50), 2);
        assert.ok(seen["asked"]![1]!.at - seen["asked"]![0]!.at >= 48);
      });

      await test.step("a request that waits holds no thread", async () => {
        const waiting = remote["asks"]!("thread", 1, 300);
        while (seen["thread"] === undefined) await remote["echo"]!("turn");
        assert.equal(await remote["echo"]!("free"), "free");
        assert.equal(seen["thread"].length, 1);
        assert.equal(await waiting, 2);
      });

      await test.step("a request in MessagePack is tried again, too, and answered in MessagePack", async () => {
        const packed = cluster.client(name, { serializer: messagepack });
        assert.equal(await packed["fails"]!("packed", 2, false), 3);
        assert.equal(await packed["asks"]!("packed and asked", 1, 1), 2);
        await assert.rejects(packed["fails"]!("packed and used up", 9, false), {
          message: "Error failure 4",
        });
        await assert.rejects(packed["fails"]!("packed and expected", 9, true), {
          message: "OutOfStock none left",
        });
        assert.equal(seen["packed and expected"]!.length, 1);
      });

      await test.step("an expected error causes no retry", async () => {
        await assert.rejects(remote["fails"]!("expected", 9, true), { message: "OutOfStock none left" });
        assert.equal(seen["expected"]!.length, 1);
      });

      await test.step("without policy and Retry, a failure is answered at once", async () => {
        await assert.rejects(remote["plain"]!("plain"), { message: "Error as ever" });
        assert.equal(seen["plain"]!.length, 1);
      });

      await test.step("a request that does not fit causes no retry", async () => {
        await assert.rejects(remote["fails"]!.kwargs({ wrong: 1 }), { code: "BAD_REQUEST" });
      });

      await test.step("when the retries are used up, the caller gets the last failure", async () => {
        await assert.rejects(remote["fails"]!("used up", 9, false), { message: "Error failure 4" });
        assert.equal(seen["used up"]!.length, 4);
        assert.ok(lines.some((line) => line.includes(`${name}.fails: Gave up after 4 attempts`)));
        assert.equal(await transport.countMessages(`enoki.dead.${queueOf(name)}`), undefined);
      });

      await test.step("of a Retry, the caller learns why, and that it may try again", async () => {
        await assert.rejects(remote["asksLittle"]!("little"), (error: RemoteError) => {
          assert.ok(error instanceof RemoteError);
          assert.equal(error.remoteName, "Retry");
          assert.equal(error.message, "Retry Gave up after 2 attempts: never");
          assert.equal(error.retryable, true);
          return true;
        });
      });

      await test.step("a caller whose time would be up gets the failure at once", async () => {
        const began = performance.now();
        const call = remote["asks"]!.with({ timeout: 2_000 })("late", 1, 3_000);
        await assert.rejects(call, {
          message: "Retry Gave up after 1 attempt, because the caller does not wait 3 s longer: not yet",
        });
        assert.ok(performance.now() - began < 1_500);
        assert.equal(seen["late"]!.length, 1);
      });

      await test.step("the time that a request waits counts as the caller's time", async () => {
        await remote["asks"]!.with({ timeout: 5_000 })("time", 1, 400);
        const [first, second] = seen["time"]!;
        assert.ok(first!.left! - second!.left! >= 395, `${first!.left} ${second!.left}`);
      });

      await test.step("what a retry adds to a request is not context data", async () => {
        await remote["asks"]!.with({ headers: { language: "en" } })("context", 2, 1);
        const [first, ...later] = seen["context"]!;
        assert.equal(first!.headers["language"], "en");
        for (const { headers } of later) {
          assert.deepEqual(
            Object.keys(headers).filter((key) => key !== "traceparent").sort(),
            Object.keys(first!.headers).filter((key) => key !== "traceparent").sort(),
          );
        }
      });

      await test.step("the log says when the next attempt is", () => {
        const text = `${name}.asks asked for a retry: attempt 2 of 21 in 0.05 s`;
        assert.ok(lines.some((line) => line.includes(text)));
        assert.ok(
          lines.some((line) => line.includes(`${name}.fails failed: attempt 2 of 4 in 0.04 s`)),
        );
      });

      await test.step("a redelivered request of nameko-amqp-retry reaches the method that its header names", async () => {
        const id = crypto.randomUUID();
        await transport.declare(caller("enoki_retry", id));
        await using _queue = {
          [Symbol.asyncDispose]: () => transport.deleteQueue(replyQueueOf("enoki_retry", id)),
        };
        const replies: string[] = [];
        const waiting: (() => void)[] = [];
        const consumer = await transport.consume(replyQueueOf("enoki_retry", id), ({ body }) => {
          replies.push(new TextDecoder().decode(body));
          waiting.shift()?.();
          return Promise.resolve("ack");
        }, { prefetch: 1 });
        const ask = async (method: string, args: readonly unknown[]) => {
          const answered = new Promise<void>((resolve) => waiting.push(resolve));
          await transport.publish({
            exchange: "",
            routingKey: queueOf(name),
            body: JSON.stringify({ args, kwargs: {} }),
            mandatory: true,
            properties: {
              contentType: "application/json",
              replyTo: id,
              correlationId: "c",
              headers: { "nameko.rpc_method_id": method, "nameko.language": "en", backoff: 100 },
            },
          });
          await answered;
          return JSON.parse(replies.at(-1)!);
        };
        assert.deepEqual(await ask(`${name}.asks`, ["redelivered", 1, 1]), { result: 2, error: null });
        for (const { headers } of seen["redelivered"]!) {
          assert.equal(headers["language"], "en");
          assert.equal("rpc_method_id" in headers || "backoff" in headers, false);
        }
        assert.equal((await ask(`${name}.absent`, [])).error.exc_type, "MethodNotFound");
        await consumer.stop();
      });

      await test.step("the context data rpc_method_id of a caller changes nothing", async () => {
        const call = remote["echo"]!.with({ headers: { rpc_method_id: "other.method" } });
        assert.equal(await call("mine"), "mine");
      });

      await test.step("the queue of the service has no arguments", async () => {
        await running.shutdown();
        await using other = await broker.transport();
        await other.declare(serviceTopology(name));
        assert.equal(exchange, DEFAULT_EXCHANGE);
      });
    },
  });
}

Deno.test("rpc() refuses a retry that makes no sense, with a sentence", () => {
  assert.throws(() => rpc({ retry: { max: -1 } }), RangeError);
  // @ts-expect-error -- there is no such option
  assert.throws(() => rpc({ retry: { delay: 5 } }), {
    name: "TypeError",
    message: 'Cannot declare an RPC method: retry has no option "delay". Its options are max, backoff',
  });
  // @ts-expect-error -- there is no such option
  assert.throws(() => rpc({ retry: { backoff: { inital: 5 } } }), {
    message: 'Cannot declare an RPC method: retry.backoff has no option "inital". Did you mean initial?',
  });
});
