/** Servers that do not behave: each answers by a script. */
import assert from "node:assert/strict";
import { Section } from "../../../runtime/config/section.ts";
import { createLog, type LogRecord } from "../../../runtime/log/log.ts";
import { BayeuxConnection } from "../../../extensions/bayeux/connection.ts";
import type { ServerMessage } from "../../../extensions/bayeux/exchange.ts";
import { bayeuxSettings } from "../../../extensions/bayeux/settings.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import { Arrivals } from "./bayeux_stage.ts";

/** A message of a client. */
interface Asked {
  readonly channel: string;
  readonly subscription?: string;
  readonly advice?: unknown;
}

/** The answer to the messages of one request: what is to be sent as JSON, or a response. */
type Script = (asked: Asked, request: Request) => unknown;

/** A script returns it for a request that the server holds until the client says good-bye. */
const HELD = Symbol("held");

/** A server that does well what the script leaves undefined, and that holds no request by itself. */
class ScriptedServer implements AsyncDisposable {
  readonly asked = new Arrivals<Asked>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #left = Promise.withResolvers<void>();

  constructor(script: Script) {
    this.#server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
      const messages = await request.json() as Asked[];
      const replies: unknown[] = [];
      for (const message of messages) {
        this.asked.add(message);
        if (message.channel === "/meta/disconnect") this.#left.resolve();
        const scripted = await script(message, request);
        if (scripted instanceof Response) return scripted;
        if (scripted === HELD) await this.#left.promise;
        const { channel, subscription } = message;
        const fine = { channel, subscription, successful: true, clientId: "c" };
        replies.push(...(scripted === undefined || scripted === HELD ? [fine] : [scripted].flat()));
      }
      return Response.json(replies);
    });
  }

  get uri(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/cometd?key=s3cret`;
  }

  /** Number of requests for messages. */
  get rounds(): number {
    return this.asked.all.filter(({ channel }) => channel === "/meta/connect").length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** Connects to a server, and closes the connection in the end. */
function connect(server: ScriptedServer, config: PlainRecord = {}) {
  const records: LogRecord[] = [];
  const messages = new Arrivals<ServerMessage>();
  const logged = new Arrivals<string>();
  const connection = new BayeuxConnection({
    settings: bayeuxSettings(
      new Section({
        BAYEUX: { SERVER_URI: server.uri, RETRY_INTERVAL: 0.01, MAX_RETRY_INTERVAL: 0.01, ...config },
      }),
    ),
    channels: ["/x"],
    deliver: messages.add,
    room: () => Promise.resolve(),
    log: createLog({
      emit(record) {
        records.push(record);
        logged.add(record.message);
      },
    }),
  });
  const running = connection.run();
  running.catch(() => {});
  return {
    running,
    records,
    logged,
    messages,
    connection,
    async [Symbol.asyncDispose]() {
      await connection.close();
    },
  };
}

for (
  const [what, response, text] of [
    ["no JSON", () => new Response("<html>"), /has sent an answer that is not JSON. Check SERVER_URI/],
    [
      "more than it may",
      () => new Response(" ".repeat(3_000)),
      /has sent an answer of more than 2000 bytes. See MAX_RESPONSE/,
    ],
    [
      "a redirection",
      () => new Response(null, { status: 302, headers: { location: "http://127.0.0.1:1/" } }),
      /answers with HTTP 302, a redirection. Set SERVER_URI to where it leads/,
    ],
    ["404", () => new Response(null, { status: 404 }), /answers with HTTP 404. Check SERVER_URI/],
    ["nothing", () => Response.json([]), /has not answered \/meta\/handshake/],
    ["what is no message", () => Response.json([1, null, [], {}]), /has not answered \/meta\/handshake/],
    [
      "no client id",
      () => Response.json([{ channel: "/meta/handshake", successful: true }]),
      /has sent a handshake without a clientId/,
    ],
    [
      "an error without text",
      () => Response.json([{ channel: "/meta/handshake", successful: false }]),
      /refuses \/meta\/handshake: no reason given/,
    ],
  ] as const
) {
  Deno.test(`a server that answers ${what} is asked again, and the log tells of it once`, async () => {
    let isWrong = true;
    await using server = new ScriptedServer(({ channel }) => {
      if (isWrong) return response();
      return channel === "/meta/connect" ? HELD : undefined;
    });
    await using client = connect(server, { MAX_RESPONSE: 2_000 });
    await server.asked.until(3);
    isWrong = false;
    await server.asked.until(({ channel }) => channel === "/meta/connect");
    const told = client.records.filter(({ level }) => level === "error").map(({ message }) => message);
    assert.equal(told.length, 1);
    assert.match(told[0]!, text);
    assert.ok(!told[0]!.includes("s3cret"));
  });
}

Deno.test("a server that advises not to connect again ends the connection", async () => {
  await using server = new ScriptedServer(({ channel }) =>
    channel === "/meta/connect"
      ? { channel, successful: false, error: "403::Gone for good", advice: { reconnect: "none" } }
      : undefined
  );
  await using client = connect(server);
  await assert.rejects(client.running, {
    name: "BrokerError",
    message: /refuses \/meta\/connect: Gone for good \(403\)\. It advises not to connect again$/,
  });
  assert.equal(server.rounds, 1);
});

Deno.test("a server that speaks no long polling ends the connection", async () => {
  await using server = new ScriptedServer(({ channel }) => ({
    channel,
    successful: true,
    clientId: "c",
    supportedConnectionTypes: ["websocket"],
  }));
  await using client = connect(server);
  await assert.rejects(client.running, { message: /does not support long-polling/ });
});

Deno.test("a client that the server has forgotten introduces itself again at once, without advice too", async () => {
  let forgets = true;
  await using server = new ScriptedServer(({ channel }) => {
    if (channel !== "/meta/connect") return undefined;
    if (!forgets) return HELD;
    forgets = false;
    return { channel, successful: false, error: "402:c:Unknown client" };
  });
  await using client = connect(server, { RETRY_INTERVAL: 600, MAX_RETRY_INTERVAL: 600 });
  while (server.rounds < 2) await server.asked.until(server.asked.all.length + 1);
  assert.deepEqual(server.asked.all.map(({ channel }) => channel.slice(6)), [
    "handshake",
    "subscribe",
    "connect",
    "handshake",
    "subscribe",
    "connect",
  ]);
  assert.ok(client.records.some(({ level, message }) => level === "info" && /Unknown client/.test(message)));
});

Deno.test("a subscription that is answered with the advice of a handshake gets one, and is sent again", async () => {
  let forgets = true;
  await using server = new ScriptedServer(({ channel, subscription }) => {
    if (channel === "/meta/connect") return HELD;
    if (channel !== "/meta/subscribe" || !forgets) return undefined;
    forgets = false;
    return { channel, subscription, successful: false, error: "402::", advice: { reconnect: "handshake" } };
  });
  await using _client = connect(server);
  await server.asked.until(({ channel }) => channel === "/meta/connect");
  assert.deepEqual(server.asked.all.map(({ channel }) => channel.slice(6)), [
    "handshake",
    "subscribe",
    "handshake",
    "subscribe",
    "connect",
  ]);
});

Deno.test("a server that forgets the client again and again is not overrun", async () => {
  await using server = new ScriptedServer(({ channel }) =>
    channel === "/meta/connect" ? { channel, successful: false, error: "402:c:Unknown client" } : undefined
  );
  await using client = connect(server, { RETRY_INTERVAL: 600, MAX_RETRY_INTERVAL: 600 });
  await client.logged.until((message) => /Trying again/.test(message));
  assert.equal(server.rounds, 2);
});

Deno.test("a server that holds no request is not overrun", async () => {
  const times: number[] = [];
  await using server = new ScriptedServer(({ channel }) => {
    if (channel === "/meta/connect") times.push(performance.now());
  });
  await using _client = connect(server, { RETRY_INTERVAL: 0.2, MAX_RETRY_INTERVAL: 0.2 });
  while (server.rounds < 5) await server.asked.until(server.asked.all.length + 1);
  assert.ok(times[4]! - times[3]! >= 95 && times[3]! - times[0]! < 5_000, `${times}`);
});

Deno.test("messages before a reply that reports an error are delivered", async () => {
  await using server = new ScriptedServer(({ channel }) =>
    channel === "/meta/connect"
      ? [
        { channel: "/x", data: 1 },
        { channel, successful: false, error: "402::", advice: { reconnect: "none" } },
        { channel: "/x", data: 2 },
        { channel: "/x" },
        { channel: "/meta/other", data: 3 },
      ]
      : undefined
  );
  await using client = connect(server);
  await assert.rejects(client.running);
  assert.deepEqual(client.messages.all.map(({ data }) => data), [1, 2]);
});

Deno.test("the advice of the server sets the time between two requests", async () => {
  await using server = new ScriptedServer(({ channel }) =>
    channel === "/meta/connect"
      ? [{ channel: "/x", data: 1 }, { channel, successful: true, advice: { interval: 40 } }]
      : undefined
  );
  const began = performance.now();
  await using client = connect(server);
  await client.messages.until(3);
  assert.ok(performance.now() - began >= 76);
});

Deno.test("a client sends the cookies that it has got, until they expire", async () => {
  const seen: (string | null)[] = [];
  await using server = new ScriptedServer(({ channel }, request) => {
    seen.push(request.headers.get("cookie"));
    if (channel === "/meta/connect") return HELD;
    const headers = new Headers();
    if (channel === "/meta/handshake") {
      headers.append("set-cookie", "BAYEUX_BROWSER=1; Path=/; HttpOnly");
      headers.append("set-cookie", "route=b=2");
      headers.append("set-cookie", "nonsense");
    } else headers.append("set-cookie", "route=; Max-Age=0");
    return Response.json([{ channel, subscription: "/x", successful: true, clientId: "c" }], { headers });
  });
  await using _client = connect(server);
  await server.asked.until(3);
  assert.deepEqual(seen, [null, "BAYEUX_BROWSER=1; route=b=2", "BAYEUX_BROWSER=1"]);
});
