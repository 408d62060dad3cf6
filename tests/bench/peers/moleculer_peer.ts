/**
 * Moleculer on Node, over AMQP: `serve <broker> <namespace>` or `load <broker> <namespace>`, with the protocol of
 * `../peer.ts`. Its requests and replies are transient and unconfirmed, as they always are in Moleculer.
 */
import { createRequire } from "node:module";
import process from "node:process";
import { createInterface } from "node:readline";
import { load } from "../load.ts";

interface Broker {
  createService(schema: unknown): void;
  start(): Promise<void>;
  waitForServices(name: string): Promise<unknown>;
  call(action: string, params: unknown): Promise<unknown>;
}

const { ServiceBroker } = createRequire(import.meta.url)("moleculer") as {
  readonly ServiceBroker: new (options: unknown) => Broker;
};
const [role, url, namespace] = process.argv.slice(2);
const broker = new ServiceBroker({
  namespace,
  nodeID: role,
  logger: false,
  transporter: { type: "AMQP", options: { url, autoDeleteQueues: true, socketOptions: { noDelay: true } } },
});
if (role === "serve") {
  broker.createService({
    name: "echo",
    actions: { echo: (context: { readonly params: { readonly value: unknown } }) => context.params.value },
  });
}
await broker.start();
if (role === "load") await broker.waitForServices("echo");
process.stdout.write("ready\n");
const target = {
  echo: (value: unknown) => broker.call("echo.echo", { value }),
  close: () => Promise.resolve(),
};
for await (const line of createInterface({ input: process.stdin })) {
  const [inFlight, duration] = line.split(" ").map(Number);
  process.stdout.write(`${JSON.stringify(await load(target, inFlight!, duration!))}\n`);
}
