/** What an extension throws in the main thread is said to be its own, and where. */
import assert from "node:assert/strict";
import { connect } from "../../extensions/connect.ts";
import { extensionFailure, namedParts } from "../../extensions/extension_failures.ts";
import { MemoryBroker } from "../../extensions/memory/mod.ts";
import { Section } from "../../runtime/config/section.ts";
import type { EntrypointHost } from "../../runtime/hosting/host.ts";
import { type Entrypoint, extension, type ExtensionSpec } from "../../runtime/hosting/mod.ts";
import { BrokerError } from "../../runtime/message/errors.ts";
import { serveInMemory } from "../fixtures/serve_in_memory.ts";

const nothing = () => Promise.resolve();
const fail = () => {
  throw new RangeError("no line");
};
const idle: Entrypoint = { start: nothing, stop: nothing, [Symbol.asyncDispose]: nothing };

/** An extension for `once.ts`, some of which fails. */
function once(spec: Pick<ExtensionSpec<undefined>, "entrypoints" | "dependencies">) {
  return extension({ entrypoints: { once: () => idle }, dependencies: { once: nothing }, ...spec });
}

const SERVING =
  'Cannot serve entrypoints of kind "once" in service "enoki_test_once" with a program\'s own extension: ';

const FAILURES = [
  ["whose factory throws", once({ entrypoints: { once: fail } }), `${SERVING}RangeError: no line`],
  [
    "whose factory gives nothing",
    once({ entrypoints: { once: () => undefined as never } }),
    `${SERVING}TypeError: The factory must return an object with start(), stop() and [Symbol.asyncDispose]()`,
  ],
  [
    "that cannot be set up",
    once({ entrypoints: { once: () => ({ ...idle, setup: fail }) } }),
    `${SERVING}RangeError: no line`,
  ],
  [
    "that does not start",
    once({ entrypoints: { once: () => ({ ...idle, start: fail }) } }),
    `${SERVING}RangeError: no line`,
  ],
  [
    "whose half of a dependency fails",
    once({ dependencies: { once: fail } }),
    'Cannot set up dependency "marked" of kind "once" in service "enoki_test_once" with a program\'s own ' +
    "extension: RangeError: no line",
  ],
] as const;

for (const [which, failing, message] of FAILURES) {
  Deno.test(`run() names an extension ${which}`, async () => {
    const serving = serveInMemory(new MemoryBroker(), ["once.ts"], { extensions: [failing] });
    await assert.rejects(serving, { name: "ExtensionError", message });
  });
}

Deno.test("a service ends with the name of the extension whose watched task has failed", async () => {
  const task = Promise.withResolvers<void>();
  const watching = once({ entrypoints: { once: (_entries, host) => (host.watch(task.promise), idle) } });
  await using running = await serveInMemory(new MemoryBroker(), ["once.ts"], { extensions: [watching] });
  task.reject(new RangeError("no line"));
  await assert.rejects(running.finished, {
    name: "ExtensionError",
    message: `${SERVING}RangeError: no line`,
  });
});

const TRANSPORTS = [
  [
    "whose factory throws",
    fail,
    'make the transport for "line:" with a program\'s own extension: RangeError',
  ],
  [
    "that is none",
    () => undefined as never,
    'make the transport for "line:" with .*: TypeError: The factory',
  ],
  [
    "that does not connect",
    () => ({ broker: "a line", connect: fail }) as never,
    'connect to broker "a line": Range',
  ],
] as const;

for (const [which, line, message] of TRANSPORTS) {
  Deno.test(`connect() names an extension's transport ${which}`, async () => {
    const connecting = connect({ broker: "line:", extensions: [extension({ transports: { line } })] });
    await assert.rejects(connecting, { name: "ExtensionError", message: new RegExp(`^Cannot ${message}`) });
  });
}

Deno.test("connect() names an extension whose settings throw, but not one that refuses a value", async () => {
  const failing = extension({ settings: fail });
  await assert.rejects(connect({ extensions: [failing] }), {
    name: "ExtensionError",
    message: "Cannot read the settings of a program's own extension: RangeError: no line",
  });
  const refusing = extension({ settings: (at) => at.refuse("LINE", "a number") });
  await assert.rejects(connect({ config: { LINE: "x" }, extensions: [refusing] }), {
    name: "ConfigurationError",
  });
});

Deno.test("extensionFailure() leaves an error of Enoki and the reason of a signal as they are", () => {
  for (const error of [new BrokerError("gone"), new DOMException("stopped", "AbortError")]) {
    assert.equal(extensionFailure("Cannot serve", error), error);
  }
  const cause = "a text";
  const failure = extensionFailure("Cannot serve", cause) as Error;
  assert.deepEqual([failure.message, failure.cause], ["Cannot serve: a text", cause]);
});

Deno.test("an extension's entrypoints see the demand as it is now", () => {
  let demand = 1;
  const host = {
    service: "a",
    get demand() {
      return demand;
    },
  } as EntrypointHost;
  let given: EntrypointHost | undefined;
  const { entrypoints } = namedParts(
    "an extension",
    once({ entrypoints: { once: (_entries, host) => (given = host, idle) } }).parts(new Section({})),
  );
  entrypoints["once"]!([], host);
  demand = 2;
  assert.equal(given?.demand, 2);
});
