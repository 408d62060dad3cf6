import assert from "node:assert/strict";
import { amqp } from "../../extensions/amqp/mod.ts";
import { rpcTopology } from "../../extensions/rpc/topology.ts";
import { brokerTest } from "../fixtures/broker.ts";
import { enoki, GREETING, SERVICES, withBroker, withService } from "./command.ts";

const MISBEHAVING = `${SERVICES}misbehaving.ts`;

Deno.test("enoki call prints the result as one line of JSON", () =>
  withService(GREETING, async (broker) => {
    assert.deepEqual(await enoki(["call", "--broker", broker, "greeting_service.hello", "Ada"]), {
      status: 0,
      out: '"Hello, Ada!"\n',
      err: "",
    });
  }));

Deno.test("enoki call takes positional and keyword arguments together", () =>
  withService(MISBEHAVING, async (broker) => {
    const { out } = await enoki(["call", "--broker", broker, "misbehaving.echo", "-5", 'second={"a":[1]}']);
    assert.equal(out, '[-5,{"a":[1]}]\n');
  }));

Deno.test("enoki call keeps every digit, and shows what JSON does not have", () =>
  withService(MISBEHAVING, async (broker) => {
    const ask = (...argv: string[]) => enoki(["call", "--broker", broker, ...argv]);
    const { err } = await ask("misbehaving.echo", "1234567890123456789");
    assert.match(err, /integer 1234567890123456789\. Set bigints: true/);
    assert.equal(
      (await ask("misbehaving.echo", "9007199254740991", "1e20")).out,
      "[9007199254740991,100000000000000000000]\n",
    );
  }));

Deno.test("enoki call sends its headers as context data", () =>
  withService(MISBEHAVING, async (broker) => {
    const argv = ["call", "--broker", broker, "--header", "language=en", "--header", "user=7"];
    const { out } = await enoki([...argv, "misbehaving.context"]);
    const { traceparent: _, ...headers } = JSON.parse(out);
    assert.deepEqual(headers, { language: "en", user: 7 });
  }));

Deno.test("enoki call ends with 1 and the remote error where the method fails", () =>
  withService(MISBEHAVING, async (broker) => {
    const { status, out, err } = await enoki(["call", "--broker", broker, "misbehaving.fail"]);
    assert.equal(status, 1);
    assert.equal(out, "");
    assert.match(err, /^QuotaError: too many\ndata: {"limit":3}\n$/m);
  }));

Deno.test("enoki call ends with 1 where the service has no such method", () =>
  withService(GREETING, async (broker) => {
    assert.deepEqual(await enoki(["call", "--broker", broker, "greeting_service.helo"]), {
      status: 1,
      out: "",
      err: 'Cannot call method "helo": service "greeting_service" has no such method. Did you mean hello?\n',
    });
  }));

Deno.test("enoki call ends with 1 where the arguments do not fit", () =>
  withService(GREETING, async (broker) => {
    const { status, err } = await enoki(["call", "--broker", broker, "greeting_service.hello", "1", "2"]);
    assert.equal(status, 1);
    assert.match(err, /^IncorrectSignature: greeting_service\.hello takes 1 argument \(name\), got 2\n$/);
  }));

Deno.test("enoki call ends with 1 where the method ends its thread", () =>
  withService(MISBEHAVING, async (broker) => {
    const { status, err } = await enoki(["call", "--broker", broker, "misbehaving.exit"]);
    assert.equal(status, 1);
    assert.match(err, /^The thread that ran the call was lost: .*Deno\.exit\(9\).*\n$/m);
  }));

Deno.test("enoki call passes on which permission the method lacks", () =>
  withService(MISBEHAVING, async (broker) => {
    const { status, err } = await enoki(["call", "--broker", broker, "misbehaving.home"]);
    assert.equal(status, 1);
    assert.match(err, /^NotCapable: .*Allow it with --allow-env=HOME\n$/m);
  }));

Deno.test("enoki call ends with 3 where nobody serves the service", () =>
  withBroker(async (broker) => {
    const { status, out, err } = await enoki(["call", "--broker", broker, "nobody.hello"]);
    assert.equal(status, 3);
    assert.equal(out, "");
    assert.match(err, /^Cannot call service "nobody": nobody serves it\. .*\. Asked local:.*\n$/);
  }));

brokerTest("enoki call says that nobody consumes the queue of a service that has stopped", async (broker) => {
  const service = `stopped_${crypto.randomUUID()}`;
  await using transport = amqp(broker);
  await transport.connect();
  await transport.declare(rpcTopology("nameko-rpc").service(service));
  const argv = ["call", "--broker", broker, "--timeout", "0.1", `${service}.hello`];
  const { status, err } = await enoki(argv);
  await transport.deleteQueue(`rpc-${service}`);
  assert.equal(status, 3);
  assert.equal(
    err,
    `Cannot call "${service}.hello": queue "rpc-${service}" exists, and nobody consumes it. Start the service\n`,
  );
});

Deno.test("enoki call ends with 3 where no answer comes in time", () =>
  withService(MISBEHAVING, async (broker) => {
    const argv = ["call", "--broker", broker, "--timeout", "0.05", "misbehaving.loop"];
    const { status, err } = await enoki(argv);
    assert.equal(status, 3);
    assert.match(err, /^Cannot call "misbehaving\.loop": no answer within 50 ms\. .*\n$/);
  }, ["--define", "grace=1"]));

Deno.test("enoki call ends with 3 at once where no broker listens", async () => {
  assert.deepEqual(await enoki(["call", "--broker", "amqp://127.0.0.1:1", "a.b"]), {
    status: 3,
    out: "",
    err:
      "Cannot reach broker amqp://127.0.0.1:1: connection refused. Start RabbitMQ, or name another broker: " +
      "with --broker, or with the option broker in a program\n",
  });
});

Deno.test("enoki call ends with 2 where the broker's URI is of no kind", async () => {
  assert.deepEqual(await enoki(["call", "--broker", "redis://ada:secret@host", "a.b"]), {
    status: 2,
    out: "",
    err: 'Cannot use broker "redis://ada:********@host": its kind is not known. ' +
      "Use amqp://…, amqps://…, local: or memory:, or name the extension that has it with --extension\n",
  });
});

Deno.test("enoki call ends with 2 where the broker's URI cannot be read", async () => {
  const { status, err } = await enoki(["call", "a.b"], { env: { AMQP_URI: "amqp://[" } });
  assert.equal(status, 2);
  assert.match(err, /^Cannot read the broker URI: .*\n$/);
});

Deno.test("enoki call says which argument looks like JSON and is none", () =>
  withService(MISBEHAVING, async (broker) => {
    const argv = ["call", "--broker", broker, "misbehaving.echo"];
    const { status, err } = await enoki([...argv, '{"sku":"A1",', "[1,]", '{"a":']);
    assert.equal(status, 1, "the method takes two");
    assert.match(err, /^Argument 1 looks like JSON but is not: .* at 12\. It is sent as text$/m);
    assert.match(err, /^Argument 2 looks like JSON but is not: unexpected token '\]'\. It is sent as text$/m);
    assert.match(err, /^Argument 3 looks like JSON but is not: unexpected end at 5\. It is sent as text$/m);
    assert.equal((await enoki([...argv, "plain text", '{"a": "["}'])).err, "");
  }));

for (
  const [broker, meant] of [
    ["ampq://ada:secret@host/v", "amqp://ada:********@host/v"],
    ["rabbit.example:5672", "amqp://rabbit.example:5672"],
    ["locl:", "local:"],
  ] as const
) {
  Deno.test(`enoki call suggests another broker than ${broker}`, async () => {
    const { status, err } = await enoki(["call", "--broker", broker, "a.b"]);
    assert.equal(status, 2);
    assert.ok(err.includes(meant), err);
  });
}

Deno.test("enoki call takes the name of a broker without its colon", async () => {
  const { status, err } = await enoki(["call", "--broker", "memory", "--timeout", "1", "nobody.a"]);
  assert.equal(status, 3);
  assert.match(err, /nobody serves it/);
});
