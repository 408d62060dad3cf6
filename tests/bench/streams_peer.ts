/**
 * One side of the benchmark of streams in a process of its own.
 *
 * `serve <bare|enoki>` prints its port, and then a number of resident bytes for each line of its input.
 * `load <port> <connections> <milliseconds>` prints the messages of a second. `hold <port> <connections>` prints
 * `held` when all connections are open, and keeps them.
 */
import { memory } from "../../extensions/memory/mod.ts";
import { run } from "../../extensions/run.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import { lines } from "./peer.ts";

/** 64 bytes with the line end. */
const LINE = new TextEncoder().encode(`${"x".repeat(63)}\n`);

async function serve(kind: string): Promise<number> {
  if (kind === "enoki") {
    configureLogging({ level: "warning" });
    const { streams } = await run([import.meta.resolve("./streams_services.ts")], {
      broker: memory(),
      threads: { permissions: "all" },
    });
    return Number(streams[0]!.split(":").at(-1));
  }
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const echo = async (connection: Deno.TcpConn) => {
    connection.setNoDelay();
    const buffer = new Uint8Array(16_384);
    for (let length; (length = await connection.read(buffer)) !== null;) {
      await connection.write(buffer.subarray(0, length));
    }
  };
  (async () => {
    for await (const connection of listener) echo(connection).catch(() => {});
  })();
  return listener.addr.port;
}

async function connect(port: number): Promise<Deno.TcpConn> {
  return await Deno.connect({ hostname: "127.0.0.1", port });
}

async function ask(connection: Deno.TcpConn, end: number): Promise<number> {
  connection.setNoDelay();
  const buffer = new Uint8Array(1_024);
  let count = 0;
  for (; performance.now() < end; count++) {
    await connection.write(LINE);
    for (let length = 0; length < LINE.length;) length += (await connection.read(buffer))!;
  }
  connection.close();
  return count;
}

/** Messages a second, with one message at a time on each connection. */
async function load(port: number, connections: number, duration: number): Promise<number> {
  const all = await Promise.all(Array.from({ length: connections }, () => connect(port)));
  const start = performance.now();
  const counts = await Promise.all(all.map((connection) => ask(connection, start + duration)));
  return counts.reduce((sum, count) => sum + count, 0) / (performance.now() - start) * 1_000;
}

async function say(text: unknown): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${text}\n`));
}

const [role, ...args] = Deno.args;
const [port, connections, duration] = args.map(Number);
if (role === "serve") {
  await say(await serve(args[0]!));
  for await (const _line of lines(Deno.stdin.readable)) await say(Deno.memoryUsage().rss);
} else if (role === "load") {
  await say(await load(port!, connections!, duration!));
  Deno.exit();
} else {
  const held: Deno.TcpConn[] = [];
  for (let at = 0; at < connections!; at++) held.push(await connect(port!));
  await say("held");
  for await (const _line of lines(Deno.stdin.readable)) await say(held.length);
}
