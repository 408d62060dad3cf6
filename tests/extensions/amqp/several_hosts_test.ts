import assert from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { BrokerError } from "../../../runtime/message/errors.ts";
import type { TransportStatus } from "../../../runtime/message/transport.ts";
import { letter } from "../../../runtime/message/conformance/stage.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { FrameProxy, METHODS } from "../../fixtures/frame_proxy.ts";
import { freePort } from "../../fixtures/free_port.ts";
import { SeverableProxy } from "../../fixtures/severable_proxy.ts";

function recorder() {
  const statuses: TransportStatus[] = [];
  let resolve = () => {};
  return {
    statuses,
    onStatus(status: TransportStatus) {
      statuses.push(status);
      resolve();
    },
    async seen(isWanted: (status: TransportStatus) => boolean, from: number): Promise<TransportStatus> {
      for (;;) {
        const found = statuses.slice(from).find(isWanted);
        if (found !== undefined) return found;
        await new Promise<void>((next, reject) => {
          const late = setTimeout(() => reject(new Error("The transport does not report it")), 20_000);
          resolve = () => (clearTimeout(late), next());
        });
      }
    },
  };
}

brokerTest("A transport goes on with the next host when its host is cut, and loses nothing", async (uri) => {
  await using one = await SeverableProxy.open(uri);
  await using two = await SeverableProxy.open(uri);
  const { statuses, onStatus, seen } = recorder();
  await using transport = amqp(`${one.uri};${two.uri}`, { onStatus, retryStep: 60_000 });
  await transport.connect();
  const ports = [one, two].map((proxy) => new URL(proxy.uri).port);
  const brokerAt = (place: number) => (status: TransportStatus) =>
    status.state === "connected" && status.broker.includes(ports[place]!);
  assert.ok(brokerAt(0)(statuses[0]!));
  const queue = `enoki-test-${crypto.randomUUID()}`;
  await transport.declare({ queues: [{ name: queue }] });
  const arrived = new Set<string>();
  const texts = Array.from({ length: 300 }, (_, number) => String(number));
  const all = Promise.withResolvers<void>();
  await transport.consume(queue, (delivery) => {
    arrived.add(new TextDecoder().decode(delivery.body));
    if (arrived.size === texts.length) all.resolve();
    return Promise.resolve("ack");
  }, { prefetch: 10 });
  const send = async (part: readonly string[]) => {
    await Promise.all(part.map((text) => transport.publish(letter(queue, text))));
  };
  await send(texts.slice(0, 100));
  const inFlight = send(texts.slice(100, 200));
  one.down = true;
  const cut = statuses.length;
  await one.sever();
  // The wait of a minute comes only after a round in which no host could be used.
  await seen(brokerAt(1), cut);
  await inFlight;
  const back = statuses.length;
  const inSecondCut = send(texts.slice(200));
  one.down = false;
  two.down = true;
  await two.sever();
  await seen(brokerAt(0), back);
  await inSecondCut;
  await all.promise;
  const waits = statuses.flatMap((status) => status.state === "lost" ? [status.retryIn] : []);
  assert.deepEqual(waits, [0, 0], "there is a wait only after a round");
  await transport.deleteQueue(queue);
});

Deno.test("Transport.connect() names all hosts that it has tried, and no password", async () => {
  const ports = [freePort(), freePort()];
  const transport = amqp(ports.map((port) => `amqp://u:secret@127.0.0.1:${port}/v`).join(";"));
  await assert.rejects(transport.connect(), (error: Error) => {
    assert.ok(error instanceof BrokerError);
    assert.equal(error.state, "unreachable");
    for (const port of ports) assert.match(error.message, new RegExp(`amqp://127.0.0.1:${port}`));
    return !error.message.includes("secret");
  });
  await transport.close();
});

brokerTest("Transport.connect() goes on with the next host if a host refuses the login", async (uri) => {
  const wrong = new URL(uri);
  wrong.password = "wrong";
  await using transport = amqp(`${wrong.href};${uri}`);
  await transport.connect();
});

brokerTest(
  "The options of a URI are agreed with the broker, and win over those of the transport",
  async (uri) => {
    await using proxy = await FrameProxy.open(uri);
    const agreed: number[][] = [];
    proxy.interfere = ({ bytes, fromBroker, is }) => {
      if (!fromBroker && is(METHODS.tuneOk)) {
        agreed.push([bytes.readUInt16BE(11), bytes.readUInt32BE(13), bytes.readUInt16BE(17)]);
      }
      return undefined;
    };
    const queried = `${proxy.uri.replace(/\/?$/, "/%2F")}?heartbeat=7&channel_max=9&frame_max=8192`;
    await using transport = amqp(queried, { heartbeat: 20, channelMax: 30 });
    await transport.connect();
    assert.deepEqual(agreed, [[9, 8_192, 7]]);
  },
);
