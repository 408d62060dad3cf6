/** OpenTelemetry's spans and records, as a collector gets them from the processes that one request goes through. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { connect } from "../../../extensions/run.ts";
import { withBroker } from "../../cli/command.ts";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { Child } from "../../fixtures/child.ts";
import { freePort } from "../../fixtures/free_port.ts";
import { type ReceivedSpan, Receiver } from "./receiver.ts";

const CLI = new URL("../../../cli.ts", import.meta.url).pathname;
const SERVICES = new URL("../../fixtures/services/spans.ts", import.meta.url).pathname;
const CALLER = new URL("../../fixtures/spans_program.ts", import.meta.url).pathname;

const CALLS = new URL("../../fixtures/call_spans_program.ts", import.meta.url).pathname;

const GIVEN = { trace: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331" };

/** Three processes that serve, and a program that calls. */
async function withShop(broker: string, use: (shop: Shop) => Promise<void>): Promise<void> {
  await using receiver = new Receiver();
  const port = freePort();
  const serve = (process: string, names: readonly string[], ...flags: readonly string[]) => {
    const modules = names.map((name) => `${SERVICES}:enoki_test_span_${name}`);
    const args = ["run", "-A", "--no-check", CLI, "run", "--broker", broker, ...flags, ...modules];
    return new Child(Deno.execPath(), args, { env: receiver.env(process) });
  };
  await using front = serve("front", ["front"], "--http", `127.0.0.1:${port}`);
  await using middle = serve("middle", ["orders"], "--log-format", "json", "--define", "LOG_CALLS=true");
  await using back = serve("back", ["payments", "mail"]);
  await Promise.all([front, middle, back].map((child) => child.says("Ready")));
  try {
    await use({ receiver, middle, url: `http://127.0.0.1:${port}` });
  } finally {
    await using transport = amqp(broker);
    await transport.connect();
    await transport.deleteQueue("evt-enoki_test_span_orders-placed--enoki_test_span_mail.greet");
  }
}

interface Shop {
  readonly receiver: Receiver;
  readonly middle: Child;
  readonly url: string;
}

/** One line for each span of a trace: its kind, process and name, indented below its parent. */
function treeOf(spans: readonly ReceivedSpan[], parent: string, depth = 0): readonly string[] {
  return spans.filter((span) => span.parent === parent)
    .sort((a, b) => a.kind < b.kind ? -1 : 1)
    .flatMap((span) => [
      `${"  ".repeat(depth)}${span.kind} ${span.process}: ${span.name}`,
      ...treeOf(spans, span.id, depth + 1),
    ]);
}

function spansOf({ receiver }: Shop, trace: string, count: number): Promise<readonly ReceivedSpan[]> {
  return receiver.until(({ spans }) => {
    const found = spans.filter((span) => span.trace === trace);
    return found.length >= count ? found : undefined;
  });
}

brokerTest(
  "a request is one tree of spans, through its handlers, calls and events in three processes",
  (broker) =>
    withShop(broker, async (shop) => {
      const traceparent = `00-${GIVEN.trace}-${GIVEN.span}-01`;
      const response = await fetch(`${shop.url}/orders/5`, { method: "POST", headers: { traceparent } });
      strictEqual(await response.text(), "5");
      const spans = await spansOf(shop, GIVEN.trace, 9);
      deepStrictEqual(treeOf(spans, GIVEN.span), [
        "server front: POST /orders/<int:total>",
        "  server front: enoki_test_span_front.order",
        "    client front: enoki_test_span_orders/place",
        "      server middle: enoki_test_span_orders/place",
        "        client middle: enoki_test_span_payments/charge",
        "          server back: enoki_test_span_payments/charge",
        "            internal back: checking",
        "        producer middle: send enoki_test_span_orders.events",
        "          consumer back: process enoki_test_span_orders.events",
      ]);
      const named = (kind: string, name: string) =>
        spans.find((span) => span.kind === kind && span.name === name)!;
      strictEqual(
        named("server", "POST /orders/<int:total>").attributes["http.route"],
        "/orders/<int:total>",
      );
      const place = {
        "rpc.system": "nameko",
        "rpc.service": "enoki_test_span_orders",
        "rpc.method": "place",
      };
      deepStrictEqual(named("client", "enoki_test_span_orders/place").attributes, place);
      deepStrictEqual(named("server", "enoki_test_span_orders/place").attributes, place);
      const greet = named("consumer", "process enoki_test_span_orders.events");
      deepStrictEqual(greet.attributes, {
        "messaging.system": "rabbitmq",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "enoki_test_span_orders.events",
        "messaging.rabbitmq.destination.routing_key": "placed",
        "enoki.service": "enoki_test_span_mail",
        "enoki.method": "greet",
        "enoki.kind": "event",
        "error.type": "Error",
      });
      deepStrictEqual([greet.failed, greet.status], [true, "no stamps: amqp://user:********@rabbit/"]);
      deepStrictEqual(spans.filter(({ failed }) => failed), [greet]);

      // The lines of the log are exported with the span of their call.
      const order = named("server", "enoki_test_span_front.order");
      const ordering = await shop.receiver.until(({ records }) =>
        records.find(({ body }) => / ordering /.test(body))
      );
      deepStrictEqual([ordering.trace, ordering.span, ordering.severity], [GIVEN.trace, order.id, "INFO"]);
      const failing = await shop.receiver.until(({ records }) =>
        records.find(({ severity }) => severity === "ERROR")
      );
      deepStrictEqual([failing.trace, failing.span], [GIVEN.trace, greet.id]);
      strictEqual(failing.attributes["exception.type"], "Error");
      match(String(failing.attributes["exception.stacktrace"]), /spans\.ts/);
      ok(!JSON.stringify(shop.receiver.records).includes("hunter2"));

      // A program's calls are children of its own span; an expected error is no failure of the server.
      await using program = new Child(Deno.execPath(), ["run", "-A", "--no-check", CALLER, broker], {
        env: shop.receiver.env("program"),
      });
      const { code, err } = await program.ended();
      strictEqual(code, 0, err);
      const root = await shop.receiver.until(({ spans }) =>
        spans.find(({ name }) => name === "ordering much")
      );
      const more = await spansOf(shop, root.trace, 6);
      deepStrictEqual(treeOf(more, ""), [
        "internal program: ordering much",
        "  client program: enoki_test_span_payments/charge",
        "    server back: enoki_test_span_payments/charge",
        "      internal back: checking",
        "  producer program: send enoki_test_span_orders.events",
        "    consumer back: process enoki_test_span_orders.events",
      ]);
      const charges = more.filter(({ name }) => name === "enoki_test_span_payments/charge");
      deepStrictEqual(
        charges.map(({ kind, failed, attributes }) => [kind, failed, attributes["error.type"]]).sort(),
        [["client", true, "Refused"], ["server", false, "Refused"]],
      );

      // The lines of calls know the span of the calling call, although the span of what it sent stands between the two.
      shop.middle.kill("SIGTERM");
      const lines = (await shop.middle.ended()).err.split("\n").filter((line) => line.startsWith("{"));
      const placed = lines.map((line) => JSON.parse(line)).find(({ outcome }) => outcome === "ok");
      deepStrictEqual([placed.trace, placed.method, placed.parentSpan], [GIVEN.trace, "place", order.id]);
    }),
);

Deno.test("a call that nobody runs, or whose caller is not sampled, has a name and no span", async () => {
  await using receiver = new Receiver();
  await using program = new Child(Deno.execPath(), ["run", "-A", "--no-check", CALLS], {
    env: { ...receiver.env("calls"), OTEL_TRACES_SAMPLER: "parentbased_always_on" },
  });
  const { code, out, err } = await program.ended();
  strictEqual(code, 0, err);
  const { ran, unstarted, unsampled } = JSON.parse(out);
  const spans = await receiver.until(({ spans }) => spans.length > 0 ? spans : undefined);
  deepStrictEqual(spans.map(({ trace, id }) => `00-${trace}-${id}-01`), [ran]);
  const trace = ran.slice(3, 35);
  match(unstarted, new RegExp(`^00-${trace}-[\\da-f]{16}-01$`));
  match(unsampled, new RegExp(`^00-${trace}-[\\da-f]{16}-00$`));
  strictEqual(new Set([ran, unstarted, unsampled].map((each) => each.slice(36, 52))).size, 3);
});

for (const isolation of ["threads", "process"]) {
  Deno.test(`what a handler has begun and printed is exported once when its service stops, with isolation: ${isolation}`, () =>
    withBroker(async (broker) => {
      await using receiver = new Receiver();
      const options = ["--isolation", isolation, "--broker", broker, "--max-workers", "1"];
      const module = `${SERVICES}:enoki_test_span_payments`;
      await using serving = new Child(
        Deno.execPath(),
        ["run", "-A", "--no-check", CLI, "run", ...options, module],
        // By itself, nothing is exported before the test is over.
        { env: { ...receiver.env("back"), OTEL_BSP_SCHEDULE_DELAY: "600000" } },
      );
      await serving.says("Ready");
      await using cluster = await connect({ broker });
      strictEqual(await cluster.method("enoki_test_span_payments", "charge")(7), 7);
      serving.kill("SIGTERM");
      strictEqual((await serving.ended()).code, 0);
      deepStrictEqual(receiver.spans.map(({ name }) => name).sort(), [
        "checking",
        "enoki_test_span_payments/charge",
      ]);
      const { id, trace } = receiver.spans.find(({ kind }) => kind === "server")!;
      const printed = receiver.records.filter(({ body }) => body.includes("charging 7"));
      deepStrictEqual(printed.map((record) => [record.trace, record.span]), [[trace, id]]);
    }));
}
