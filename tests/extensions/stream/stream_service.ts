/** What the tests of streams talk to. Each stream listens where the configuration says. */
import { provider, rpc, service, stream } from "../../../mod.ts";

const lines = stream({ listen: { config: "LINES" }, framing: "lines", state: { count: 0, name: "" } });
const bytes = stream({ listen: { config: "BYTES" }, state: { seen: 0 } });
const frames = stream({ listen: { config: "FRAMES" }, framing: "length-prefixed", prefix: 2 });
const quiet = stream({ listen: { config: "QUIET" }, framing: "lines" });

const thread = provider(() => {
  const id = crypto.randomUUID();
  return { get: () => id };
});

async function delay(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => resolve(), { once: true });
  if (!signal.aborted) await promise;
  clearTimeout(timer);
}

class Refused extends Error {
  override name = "Refused";
}

export default service("talker", {
  dependencies: { all: lines.connections(), watchers: quiet.connections(), thread },
  entrypoints: {
    greet: lines.connected(),
    hear: lines.received({ expected: ["Refused"], timeout: 5_000 }),
    leave: lines.lost(),
    gulp: bytes.received(),
    drop: bytes.lost(),
    frame: frames.received(),
    watch: quiet.connected(),
    watched: quiet.received({ timeout: 500 }),
    tellAll: rpc(),
  },
  handlers: {
    async greet(_context, connection) {
      connection.state.name = "new";
      await connection.write("welcome");
    },
    async hear({ all, watchers, thread, call }, connection, line) {
      const [word, ...rest] = line.split(" ");
      const text = rest.join(" ");
      connection.state.count++;
      switch (word) {
        case "count":
          return await connection.write(`${connection.state.count}`);
        case "state":
          return await connection.write(JSON.stringify(connection.state));
        case "name":
          connection.state.name = text;
          return;
        case "who":
          return await connection.write(JSON.stringify([connection.id, connection.peer, connection.host]));
        case "thread":
          return await connection.write(thread);
        case "slow": {
          await watchers.broadcast(`began ${text}`);
          const [ms] = text.split(" ");
          await delay(Number(ms), call.signal);
          await watchers.broadcast(`${call.signal.aborted ? "cancelled" : "ended"} ${text}`);
          return await connection.write(`slow ${text}`).catch(() => {});
        }
        case "early":
          await connection.write("early");
          await delay(200, call.signal);
          return await connection.write("late");
        case "bye":
          await connection.write("bye");
          return connection.close();
        case "cut":
          return connection.abort("cut it");
        case "fail":
          await connection.write("before");
          throw new TypeError("boom");
        case "refuse":
          throw new Refused("not you");
        case "exit":
          return Deno.exit(1);
        case "inject":
          return await connection.write("one\ntwo").catch(({ name }) => connection.write(name));
        case "nonsense":
          connection.state.name = 1n as never;
          return;
        case "large":
          connection.state.name = "x".repeat(100_000);
          return;
        case "all":
          return await all.broadcast(text, { except: connection.id });
        case "to": {
          const [id = "", message = ""] = rest;
          return await connection.write(`sent ${await all.write(id, message)}`);
        }
        case "order":
          connection.write("first");
          await all.write(connection.id, "second");
          return await connection.write("third");
        case "ids":
          return await connection.write(JSON.stringify(await all.ids()));
        case "end":
          return await connection.write(`ended ${await all.close(text)}`);
        case "many":
          return await connection.writeAll(Array.from({ length: Number(text) }, (_, at) => `${at}`));
        case "later":
          setTimeout(() => connection.write("later"), 10);
          return;
        default:
          return await connection.write(line);
      }
    },
    async leave({ watchers }, connection, { code, message }) {
      const late = await connection.write("too late").then(() => "written", ({ name }) => name);
      await watchers.broadcast(JSON.stringify({ code, message, late, name: connection.state.name }));
    },
    async gulp({ watchers, call }, connection, data) {
      connection.state.seen += data.length;
      const [first] = data;
      // Q: everything, and then the end. F: more than anybody reads, and no wait. G: the same, with waits.
      if (first === 81) {
        await connection.write(String(connection.state.seen));
        connection.close();
      } else if (first === 70) {
        let isLost = false;
        // A delay is over at once when the signal is aborted, and then no news of a lost write could come in.
        while (!isLost && !call.signal.aborted) {
          for (let piece = 0; piece < 16; piece++) {
            connection.write(new Uint8Array(64 * 1024)).catch(() => isLost = true);
          }
          await delay(1, call.signal);
        }
      } else if (first === 71) {
        const pieces = Array.from({ length: 64 }, () => new Uint8Array(64 * 1024));
        await connection.writeAll(pieces);
        await watchers.broadcast("written");
      } else await connection.write(data);
    },
    async drop({ watchers }, _connection, { code, message }) {
      await watchers.broadcast(JSON.stringify({ code, message }));
    },
    async frame(_context, connection, data) {
      await connection.write(data);
    },
    watch() {},
    watched(_context, connection, line) {
      while (line === "spin");
      return connection.write(line);
    },
    tellAll: async ({ all }, text: string) => await all.broadcast(text),
  },
});
