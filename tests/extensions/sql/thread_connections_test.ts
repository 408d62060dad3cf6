import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { openDriver } from "../../../extensions/sql/driver/open_driver.ts";
import { createSqlHalf } from "../../../extensions/sql/host.ts";
import { ThreadConnections } from "../../../extensions/sql/limit/thread_connections.ts";
import { sqlSettings } from "../../../extensions/sql/settings.ts";
import { Section } from "../../../runtime/config/section.ts";

/** The connections of one thread, and the half in the main thread, with nothing between them. */
function threadWith(
  uri: string,
  { MAX_CONNECTIONS, callTimeout }: { MAX_CONNECTIONS: number; callTimeout: number },
) {
  const config = { SQL: { URI: uri, MAX_CONNECTIONS } };
  const half = createSqlHalf({ options: {} }, { service: "orders", config });
  const questions: string[] = [];
  const connections = new ThreadConnections({
    driver: openDriver(uri),
    settings: sqlSettings(new Section(config)),
    host: {
      callTimeout,
      log: { debug() {} },
      ask(body, options) {
        questions.push(String(body));
        return Promise.resolve(
          half.answer!(body, options?.signal === undefined ? {} : { signal: options.signal }),
        );
      },
    },
  });
  return {
    connections,
    questions,
    async [Symbol.asyncDispose]() {
      await connections[Symbol.asyncDispose]();
      await half[Symbol.asyncDispose]?.();
    },
  };
}

async function withFile(use: (uri: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "enoki-connections-" });
  try {
    await use(`sqlite:///${folder}/one.db`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Uses connections in this many calls at a time, and returns the most that were used at once. */
async function useAtOnce(connections: ThreadConnections, calls: number): Promise<number> {
  let used = 0;
  let most = 0;
  await Promise.all(Array.from({ length: calls }, async () => {
    for (let turn = 0; turn < 30; turn++) {
      const held = await connections.take(undefined);
      most = Math.max(most, ++used);
      await held.connection.query("select 1");
      await new Promise((resolve) => setTimeout(resolve));
      used--;
      connections.give(held);
    }
  }));
  return most;
}

Deno.test("calls that wait get as many connections as they need, which are opened once", () =>
  withFile(async (uri) => {
    await using thread = threadWith(uri, { MAX_CONNECTIONS: 20, callTimeout: 30_000 });
    await useAtOnce(thread.connections, 5);
    await useAtOnce(thread.connections, 10);
    const opened = thread.questions.filter((question) => question.startsWith('["take"')).length;
    ok(opened <= 10, `${opened} connections`);
  }));

Deno.test("calls of one thread share what the limit leaves, and ask the main thread for no turn", () =>
  withFile(async (uri) => {
    await using thread = threadWith(uri, { MAX_CONNECTIONS: 2, callTimeout: 30_000 });
    strictEqual(await useAtOnce(thread.connections, 10), 2);
    ok(thread.questions.length < 60, `${thread.questions.length} questions`);
  }));

for (const [place, wayOut] of [["a file", /Raise SQL\.MAX_CONNECTIONS/], ["memory", /Use a file/]] as const) {
  Deno.test(`a call without a deadline waits no longer than call_timeout, for a database in ${place}`, () =>
    withFile(async (file) => {
      await using thread = threadWith(place === "memory" ? "sqlite::memory:" : file, {
        MAX_CONNECTIONS: 1,
        callTimeout: 20,
      });
      const held = await thread.connections.take(undefined);
      await rejects(Promise.resolve(thread.connections.take(undefined)), (error: Error) => {
        match(error.message, /^Cannot get a connection to database \S+ in time: /);
        match(error.message, wayOut);
        return true;
      });
      thread.connections.give(held);
      thread.connections.give(await thread.connections.take(undefined));
    }));
}

Deno.test("threads that all wait for the one connection that there is get it in turn", () =>
  withFile(async (uri) => {
    const options = { MAX_CONNECTIONS: 1, callTimeout: 30_000 };
    await using one = threadWith(uri, options);
    await using two = threadWith(uri, options);
    await using three = threadWith(uri, options);
    const most = await Promise.all([one, two, three].map(({ connections }) => useAtOnce(connections, 2)));
    deepStrictEqual(most, [1, 1, 1]);
  }));
