/** The public list, by hand: every name of every door, values and types. */
import { deepStrictEqual } from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import denoJson from "../deno.json" with { type: "json" };
import { OWN_PACKAGE } from "../runtime/program/own_package.ts";

/** Names by door, in the order of the alphabet. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  ".": [
    "Backoff",
    "BadRequestError",
    "BrokerError",
    "Call",
    "CallError",
    "CallOptions",
    "CallResult",
    "CallTimeoutError",
    "Client",
    "ClientMethod",
    "ConfigurationError",
    "ConnectionNotFoundError",
    "ConsumeOptions",
    "ContainerStoppingError",
    "Context",
    "Contract",
    "CronOptions",
    "DependencyHost",
    "DependencySpec",
    "DispatchOptions",
    "Dispatcher",
    "DispatcherOptions",
    "EntrypointSpec",
    "EventDelivery",
    "EventOptions",
    "Exchange",
    "ExchangeOptions",
    "FieldTable",
    "FieldValue",
    "HttpErrorFacts",
    "HttpOptions",
    "Log",
    "MethodNotFoundError",
    "PendingCall",
    "Provider",
    "Publish",
    "PublishOptions",
    "PublisherOptions",
    "Queue",
    "QueueBinding",
    "QueueOptions",
    "ReceivedMessage",
    "RemoteError",
    "Retry",
    "RetryPolicy",
    "RpcOptions",
    "Serializer",
    "Service",
    "ServiceLoadError",
    "StandardSchema",
    "TickOptions",
    "TimerOptions",
    "UnknownServiceError",
    "UnroutableError",
    "WebSocketConnection",
    "WebSocketHub",
    "WebSocketOptions",
    "WorkerLostError",
    "client",
    "config",
    "consume",
    "contract",
    "cron",
    "dispatcher",
    "event",
    "exchange",
    "http",
    "logger",
    "provider",
    "publisher",
    "queue",
    "rawSerializer",
    "rpc",
    "service",
    "textSerializer",
    "timer",
    "websocket",
    "websocketConnection",
    "websocketHub",
  ],
  "./run": [
    "Config",
    "ConfigValue",
    "ConnectOptions",
    "Connection",
    "Container",
    "FileWatchOptions",
    "LogLevel",
    "PoolLimits",
    "Progress",
    "RunOptions",
    "Runner",
    "Running",
    "ThreadPlan",
    "Transport",
    "connect",
    "run",
  ],
  "./memory": [
    "MemoryBroker",
    "MemoryOptions",
    "memory",
  ],
  "./local": [
    "LocalOptions",
    "local",
  ],
  "./amqp": [
    "AmqpOptions",
    "LoginMethod",
    "TlsOptions",
    "amqp",
  ],
  "./messagepack": [
    "messagepack",
  ],
  "./websocket": [
    "ConnectSocketOptions",
    "SocketCallOptions",
    "SocketClient",
    "SocketError",
    "SocketEvents",
    "SocketMethod",
    "SocketMethods",
    "clientScript",
    "connectSocket",
  ],
  "./testing": [
    "TestContextOptions",
    "testContext",
  ],
};

interface DocOutput {
  readonly nodes: Readonly<Record<string, { readonly symbols: readonly { readonly name: string }[] }>>;
}

async function namesOf(path: string): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", "--quiet", path],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const { nodes }: DocOutput = JSON.parse(new TextDecoder().decode(stdout));
  return Object.values(nodes).flatMap(({ symbols }) => symbols.map(({ name }) => name)).sort();
}

Deno.test("deno.json opens exactly the doors that are listed here", () => {
  deepStrictEqual(Object.keys(denoJson.exports), Object.keys(EXPECTED));
});

Deno.test("own_package.ts says what deno.json says", () => {
  const { name, version, exports } = denoJson;
  deepStrictEqual(OWN_PACKAGE, { name, version, exports });
});

for (const [door, target] of Object.entries(denoJson.exports)) {
  const path = fileURLToPath(new URL(`../${target}`, import.meta.url));
  Deno.test({
    name: `the door "${door}" shows exactly the names that are listed here`,
    ignore: !existsSync(path),
    fn: async () => deepStrictEqual(await namesOf(path), EXPECTED[door]),
  });
}
