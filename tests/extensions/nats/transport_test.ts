/** The transport of `examples/extensions/nats/` keeps the laws of transports, as a stranger's would. */
import { testTransport } from "@enoki/enoki/conformance";
import { NatsTransport } from "../../../examples/extensions/nats/transport.ts";
import { natsServer } from "../../fixtures/nats_probe.ts";
import { SeverableProxy } from "../../fixtures/severable_proxy.ts";

/** More bytes than the laws put into a message. */
const LARGE_BODY = 4 * 1024 * 1024;

const server = await natsServer();
const proxy = server && await SeverableProxy.open(server.uri);

testTransport(
  "nats",
  (options) => new NatsTransport(`${proxy!.uri}/conformance`, { ...options, retryStep: 50 }),
  {
    lacks: [
      "length limits",
      "priorities",
      ...server !== undefined && server.maxPayload > LARGE_BODY ? [] : ["large bodies" as const],
    ],
    sever: () => proxy!.sever(),
    ignore: server === undefined,
  },
);

globalThis.addEventListener("unload", () => void proxy?.[Symbol.asyncDispose]());
