/** The transport of `examples/extensions/nats/` keeps the laws of transports, as a stranger's would. */
import { testTransport } from "@enoki/enoki/conformance";
import { NatsTransport } from "../../../examples/extensions/nats/transport.ts";
import { natsServer } from "../../fixtures/nats_probe.ts";
import { SeverableProxy } from "../../fixtures/severable_proxy.ts";
import { NatsStage } from "./nats_stage.ts";

/** More bytes than the laws put into a message. */
const LARGE_BODY = 4 * 1024 * 1024;

const server = await natsServer();
const stage = server && new NatsStage(server.uri);
const proxy = stage && await SeverableProxy.open(stage.broker);

testTransport("nats", (options) => new NatsTransport(proxy!.uri, { ...options, retryStep: 50 }), {
  lacks: [
    "streams",
    "length limits",
    "priorities",
    ...server !== undefined && server.maxPayload > LARGE_BODY ? [] : ["large bodies" as const],
  ],
  sever: () => proxy!.sever(),
  ignore: server === undefined,
});

Deno.test.afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await stage?.[Symbol.asyncDispose]();
});
