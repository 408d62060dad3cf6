/**
 * The client of the library as one call sees it.
 *
 * It is the thread's one client behind a proxy: each command waits for the connection as far as that makes sense, ends
 * with the call, and fails with an error of ours if Redis is lost. What would harm the connection that all calls of the
 * thread share is refused. A command that nobody awaits is told in the log, and its failure never ends the thread.
 */
import { EventEmitter } from "node:events";
import type { Call } from "../../runtime/service/call.ts";
import { AwaitedPromise } from "./awaited_promise.ts";
import type { RedisConnection } from "./connection.ts";

/** What ends the connection of all calls, or changes it for all of them, with what to do instead. */
const REFUSED: Readonly<Record<string, string>> = {
  ...forAll(["close", "connect", "destroy", "disconnect", "quit"], "Enoki opens and closes it"),
  ...forAll(["monitor", "reset"], "it would serve no other command. Take a client of your own: duplicate()"),
  select: "all calls share it. Write the number of the database into its URI",
};

/** What gives the same client with other options of commands. */
const DERIVING = ["asap", "withAbortSignal", "withCommandOptions", "withTypeMapping"];

/** What gives something else than the promise of a reply. */
const OTHERS = [
  "createPool",
  "extendPubSubChannelListeners",
  "extendPubSubListeners",
  "getPubSubListeners",
  "getRandomNode",
  "getSlotRandomNode",
  "legacy",
  "nodeClient",
  "setDirtyWatch",
];

/** The methods that end a transaction. */
const EXECUTING = ["exec", "EXEC", "execAsPipeline"];

// deno-lint-ignore no-explicit-any -- any method of the client
type Method = (this: any, ...args: any[]) => any;

function isMethod(value: unknown): value is Method {
  return typeof value === "function";
}

/** The clients that one call has got. */
export class CallClients {
  readonly #call: Call;
  readonly #connection: RedisConnection;
  readonly #timeout: number;
  /** The commands that nobody awaits so far. */
  readonly #forgotten = new Map<AwaitedPromise<unknown>, string>();
  #signal: AbortSignal | undefined;

  constructor(call: Call, connection: RedisConnection, timeout: number) {
    this.#call = call;
    this.#connection = connection;
    this.#timeout = timeout;
  }

  /** The names of the commands that nobody has awaited. */
  get forgotten(): readonly string[] {
    return [...this.#forgotten.values()];
  }

  /** Wraps a client for the call. */
  wrap<Client extends object>(client: Client): Client {
    const proxy: Client = new Proxy(client, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property, target);
        return isMethod(value) ? this.#method(target, proxy, property, value) : value;
      },
    });
    return proxy;
  }

  #method(client: object, proxy: object, property: string | symbol, method: Method): Method {
    if (typeof property === "symbol" || property.startsWith("_") || property in EventEmitter.prototype) {
      return method.bind(client);
    }
    const name = property.toLowerCase();
    if (Object.hasOwn(REFUSED, name)) {
      return () => {
        throw new TypeError(`Cannot call ${property}() on the connection of redis(): ${REFUSED[name]}`);
      };
    }
    // Iterators send commands by the client that they are called on.
    if (property.endsWith("Iterator")) return method.bind(proxy);
    if (DERIVING.includes(property)) return (...args) => this.wrap(method.apply(client, args));
    if (name === "multi") return (...args) => this.#transaction(method.apply(client, args));
    if (property === "duplicate") {
      // Without a listener, the loss of its connection would end the thread.
      return (...args) => method.apply(client, args).on("error", () => {});
    }
    if (OTHERS.includes(property)) return method.bind(client);
    return (...args) => this.#run(nameOf(property, args), () => method.apply(client, args));
  }

  #transaction(multi: Record<string, Method>): unknown {
    for (const name of EXECUTING) {
      const execute = multi[name]!;
      multi[name] = (...args) => this.#run("EXEC", () => execute.apply(multi, args));
    }
    return multi;
  }

  #run(action: string, send: () => Promise<unknown>): Promise<unknown> {
    const signal = this.#signal ??= this.#call.signal;
    const running = this.#connection.run(send, { action, signal, timeout: this.#timeout });
    const watched = AwaitedPromise.watching(running, () => this.#forgotten.delete(watched));
    this.#forgotten.set(watched, action);
    return watched;
  }
}

/** The name of a command, as Redis has it. */
function nameOf(property: string, args: readonly unknown[]): string {
  if (property !== "sendCommand") return property.toUpperCase();
  const command = args.find(Array.isArray);
  return String(command?.[0] ?? property).toUpperCase();
}

function forAll(names: readonly string[], reason: string): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, reason]));
}
