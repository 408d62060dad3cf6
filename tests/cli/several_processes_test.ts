/** `enoki run --processes`, with real processes. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { createServer } from "node:net";
import { connect } from "../../extensions/run.ts";
import { pause } from "../../runtime/waiting/abort.ts";
import { Program, runProgram } from "../e2e/program.ts";
import { freePort } from "../fixtures/free_port.ts";
import type duplicated from "../fixtures/services/duplicated.ts";
import { enoki, SERVICES, withBroker } from "./command.ts";

const CLI = new URL("../../cli.ts", import.meta.url).pathname;
const MODULE = `${SERVICES}duplicated.ts`;

function command(...argv: readonly string[]): [string, ...string[]] {
  // The services tell the ids of the processes that share the work, which have processes of their services otherwise.
  const flags = ["--processes", "2", "--isolation", "threads"];
  const log = ["--log-format", "json", "--log-level", "warning"];
  return [Deno.execPath(), "run", "-A", "--no-check", CLI, "run", ...flags, ...log, ...argv];
}

function messagesOf(log: string): readonly string[] {
  return log.trim().split("\n").map((line) => JSON.parse(line).message);
}

/** Milliseconds between two requests under load: those that start need the processor, too. */
const PACE = 20;

/** Asks over a connection of its own, or over one that is kept open as long as the server keeps it. */
class Visitor {
  readonly answers: string[] = [];
  readonly failures: unknown[] = [];
  readonly #port: number;
  readonly #keeps: boolean;
  #connection: Deno.TcpConn | undefined;

  constructor(port: number, keeps: boolean) {
    this.#port = port;
    this.#keeps = keeps;
  }

  async ask(): Promise<string> {
    const connection = this.#connection ??= await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
    const close = this.#keeps ? "" : "connection: close\r\n";
    await connection.write(new TextEncoder().encode(`GET /pid HTTP/1.1\r\nhost: localhost\r\n${close}\r\n`));
    const buffer = new Uint8Array(4_096);
    const count = await connection.read(buffer);
    const text = new TextDecoder().decode(buffer.subarray(0, count ?? 0));
    const [, body] = /^HTTP\/1\.1 200 .*\r\n\r\n(\d+)$/s.exec(text) ?? [];
    if (/^connection: close/im.test(text) || body === undefined) this.close();
    if (body === undefined) throw new Error(`An answer was lost: ${JSON.stringify(text)}`);
    return body;
  }

  /** Asks until the signal aborts. */
  async askAlways(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(PACE);
      try {
        this.answers.push(await this.ask());
      } catch (error) {
        this.failures.push(error);
        this.close();
      }
    }
    this.close();
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}

/** Collects answers until they come from two processes. */
async function bothOf(ask: () => Promise<unknown>): Promise<ReadonlySet<string>> {
  const pids = new Set<string>();
  while (pids.size < 2) pids.add(String(await ask()));
  return pids;
}

/** Whether a process has not ended, even where its parent does not ask for its status. */
function runs(pid: string): boolean {
  try {
    return !Deno.readTextFileSync(`/proc/${pid}/stat`).includes(") Z ");
  } catch {
    return false;
  }
}

/** Resolves when none of the processes runs. */
async function gone(pids: Iterable<string>): Promise<void> {
  while ([...pids].some(runs)) await pause(10);
}

Deno.test({
  name: "two processes of run serve together",
  ignore: Deno.build.os !== "linux",
  fn: (t) =>
    withBroker(async (broker) => {
      // The broker is in this process, so that no restart takes it away.
      await using connection = await connect({ broker });
      const { pid } = connection.client<typeof duplicated>("duplicated");
      const port = freePort();
      const argv = ["--broker", broker, "--http", `127.0.0.1:${port}`, "--log-level", "info", MODULE];
      await using program = new Program(command(...argv));
      await program.says('"Ready"');
      const visitor = new Visitor(port, false);
      let first: ReadonlySet<string> = new Set();

      await t.step("both answer at one port", async () => {
        first = await bothOf(() => visitor.ask());
      });

      await t.step("both answer calls over the broker", async () => {
        deepStrictEqual([...await bothOf(() => pid())].sort(), [...first].sort());
      });

      await t.step("SIGHUP replaces both, and no request and no call is lost", async () => {
        const over = new AbortController();
        const visitors = Array.from({ length: 6 }, (_, index) => new Visitor(port, index % 3 === 0));
        const asking = visitors.map((each) => each.askAlways(over.signal));
        const calling = (async () => {
          let count = 0;
          for (; !over.signal.aborted; count++) {
            await pid();
            await pause(PACE);
          }
          return count;
        })();
        program.kill("SIGHUP");
        await program.says("All processes are new").finally(() => over.abort());
        await Promise.all(asking);
        deepStrictEqual(visitors.flatMap(({ failures }) => failures), []);
        for (const { answers } of visitors) ok(answers.length > 0);
        ok(await calling > 0);
        const second = await bothOf(() => visitor.ask());
        strictEqual(second.intersection(first).size, 0);
        first = second;
      });

      await t.step("a process that is killed comes back", async () => {
        const [killed, left] = first;
        Deno.kill(Number(killed), "SIGKILL");
        await program.says(`Process ${killed} has ended with status 137`);
        await program.says(`serves in place of process ${killed}`);
        const now = await bothOf(() => visitor.ask());
        deepStrictEqual([now.has(killed!), now.has(left!)], [false, true]);
      });

      await t.step("SIGTERM ends both with status 0", async () => {
        const pids = await bothOf(() => visitor.ask());
        program.kill("SIGTERM");
        strictEqual((await program.end()).status, 0);
        deepStrictEqual([...pids].filter(runs), []);
      });

      await t.step("the log has one record of the start, and JSON in each line", async () => {
        const { err } = await program.end();
        const records = err.trim().split("\n").map((line) => JSON.parse(line));
        const ready = records.filter(({ message }) => message === "Ready");
        deepStrictEqual(ready.map(({ properties }) => properties.processes.length), [2]);
      });
    }),
});

Deno.test({
  name: "processes of run whose supervisor is killed stop by themselves",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const port = freePort();
    const argv = ["--broker", "memory:", "--http", `127.0.0.1:${port}`, "--log-level", "info", MODULE];
    await using program = new Program(command(...argv));
    await program.says('"Ready"');
    const pids = await bothOf(() => new Visitor(port, false).ask());
    program.kill("SIGKILL");
    await gone(pids);
  },
});

Deno.test({
  name: "run --processes tells of a port that a program has which would share it, and ends",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const port = freePort();
    const other = createServer();
    const listening = Promise.withResolvers<void>();
    // The types of Node do not know this option yet.
    const options = { port, host: "127.0.0.1", reusePort: true };
    other.listen(options, () => listening.resolve());
    await listening.promise;
    try {
      const http = `127.0.0.1:${port}`;
      const { status, err } = await runProgram(command("--broker", "memory:", "--http", http, MODULE));
      const told = messagesOf(err).filter((message) => message.startsWith("Cannot "));
      strictEqual(told.length, 1, err);
      match(told[0]!, new RegExp(`^Cannot listen on ${http}: the port is in use\\. Choose another .*$`));
      strictEqual(status, 2);
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
  },
});

Deno.test({
  name: "run --processes tells once of a module that does not load, and ends with its status",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const module = `${SERVICES}throws_at_top.ts`;
    const { status, err } = await runProgram(command("--broker", "memory:", module));
    const told = messagesOf(err).filter((message) => message.startsWith("Cannot "));
    strictEqual(told.length, 1, err);
    match(told[0]!, /^Cannot load .*: no such ledger$/m);
    strictEqual(status, 2);
  },
});

Deno.test("run --processes refuses --watch", async () => {
  const { status, err } = await enoki(["run", "--processes", "2", "--watch", MODULE]);
  match(err, /^Cannot run several processes: --watch reloads .*\. Leave --processes out\n$/m);
  strictEqual(status, 2);
});

Deno.test("run refuses a number of processes that is none", async () => {
  const { status, err } = await enoki(["run", "--define", "processes=few", MODULE]);
  match(err, /^Cannot use config key "processes": got "few", expected /m);
  strictEqual(status, 2);
});
