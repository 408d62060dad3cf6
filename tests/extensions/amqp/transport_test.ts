import { amqp } from "../../../extensions/amqp/mod.ts";
import { testBrokers } from "../../../runtime/message/conformance/mod.ts";
import { brokerUri } from "../../fixtures/broker_probe.ts";
import { SeverableProxy } from "../../fixtures/severable_proxy.ts";

const uri = await brokerUri();

if (uri !== undefined) {
  testBrokers("amqp", async () => {
    const proxy = await SeverableProxy.open(uri);
    return {
      async transport(options = {}) {
        const transport = amqp(proxy.uri, { ...options, retryStep: 50 });
        await transport.connect();
        return transport;
      },
      sever: () => proxy.sever(),
      [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
    };
  }, { recovery: true });
}
