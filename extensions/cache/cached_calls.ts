import { millisecondsOf } from "../../runtime/waiting/duration.ts";
import { messageOf } from "./near/thread_cache.ts";
import type { FieldTable } from "../../runtime/message/transport.ts";
import type { Call } from "../../runtime/service/call.ts";
import { within } from "../../runtime/waiting/abort.ts";
import type { CallOptions, Client, ClientMethod, SingleCallOptions } from "../rpc/mod.ts";
import { type CallPolicy, isOutage } from "./call_policy.ts";
import { keyText } from "./key.ts";
import type { ThreadCache } from "./near/thread_cache.ts";

/** A method of another service whose results are cached. */
export interface CachedMethod<Args extends readonly unknown[], Result> extends ClientMethod<Args, Result> {
  /** Gives the same method with other options. Headers that `varyBy` names tell results apart. */
  with(options: SingleCallOptions<Args, Result>): CachedMethod<Args, Result>;
  /**
   * Deletes the result for these arguments in all threads, so that the next call asks the service.
   *
   * @throws {TypeError} If `methods` does not name the method.
   */
  forget(...args: Args): Promise<void>;
}

/** The typed client of a service whose calls go through a cache. It stands wherever a {@linkcode Client} does. */
export type CachedClient<Target> = {
  readonly [Method in keyof Client<Target>]: Client<Target>[Method] extends
    ClientMethod<infer Args, infer Result> ? CachedMethod<Args, Result> : never;
};

/** What the cached calls of one call in progress share. */
export interface CachedCallsOptions {
  /** Name of the called service. */
  readonly service: string;
  readonly values: ThreadCache;
  /** How the methods are cached, by name. Others are not. */
  readonly policies: ReadonlyMap<string, CallPolicy>;
  /** The call in progress. */
  readonly call: Call;
  /** Calls the service. */
  readonly client: Client<unknown>;
  /** Context data that goes along with all calls. */
  readonly headers: FieldTable;
  /** Milliseconds to wait for a result. */
  readonly timeout: number;
}

type AnyMethod = ClientMethod<readonly unknown[], unknown>;
type AnyCachedMethod = CachedMethod<readonly unknown[], unknown>;

const NO_METHODS = Object.freeze({});

/** Makes the client of one call in progress. */
export function cachedCalls(options: CachedCallsOptions): CachedClient<unknown> {
  const { service, client, policies, headers, timeout } = options;
  const methods = new Map<string, AnyCachedMethod>();
  return new Proxy<CachedClient<unknown>>(NO_METHODS, {
    get(_target, method) {
      if (typeof method !== "string" || method === "then") return undefined;
      let made = methods.get(method);
      if (made === undefined) {
        const policy = policies.get(method);
        const plain = client[method]!;
        made = policy === undefined
          ? uncached(plain, service, method)
          : cached(options, method, policy, plain, { headers, timeout });
        methods.set(method, made);
      }
      return made;
    },
  });
}

function uncached(plain: AnyMethod, service: string, method: string): AnyCachedMethod {
  const forget = () =>
    Promise.reject(
      new TypeError(
        `Cannot forget a result of "${service}.${method}": it is not cached. Name it in methods of cachedClient()`,
      ),
    );
  return Object.assign(plain, { forget }) as unknown as AnyCachedMethod;
}

function cached(
  options: CachedCallsOptions,
  method: string,
  policy: CallPolicy,
  plain: AnyMethod,
  own: CallOptions & Required<Pick<CallOptions, "headers" | "timeout">>,
): AnyCachedMethod {
  const { service, values, call } = options;
  const { signal } = own;
  const keyOf = (args: readonly unknown[], named: Readonly<Record<string, unknown>> | null) => {
    const vary = policy.varyBy.map((name) => own.headers[name] ?? call.headers[name] ?? null);
    return keyText([service, method, args, named, vary]);
  };
  const run = async (args: readonly unknown[], named?: Readonly<Record<string, unknown>>) => {
    const ask = (asked: AnyMethod) => named === undefined ? asked(...args) : asked.kwargs(named, ...args);
    let key: string;
    try {
      key = keyOf(args, named ?? null);
    } catch (error) {
      values.tell(`key ${method}`, (log) => {
        log.warning(`Cannot cache a result of "${service}.${method}": ${messageOf(error)}`);
      });
      return await ask(plain);
    }
    if (policy.first === undefined) return await withFallback(options, method, policy, key, () => ask(plain));
    const near = values.near(key);
    if (near !== undefined) return JSON.parse(near);
    const read = await values.read(key, ({ signal }) => ask(plain.with({ signal })), {
      ...policy.first,
      tags: policy.tags,
      timeout: millisecondsOf(own.timeout),
      signal: signal === undefined ? call.signal : AbortSignal.any([signal, call.signal]),
      requiresJson: false,
    });
    return "text" in read ? JSON.parse(read.text) : read.value;
  };
  return Object.assign((...args: readonly unknown[]) => run(args), {
    with: (more: SingleCallOptions) =>
      cached(options, method, policy, plain.with(more), {
        ...own,
        ...more,
        headers: { ...own.headers, ...more.headers },
      }),
    start: (...args: readonly unknown[]) => {
      const result = run(args);
      // A failed call whose result nobody asks for must not end the program as an unhandled rejection.
      result.catch(() => {});
      return { result: () => result };
    },
    kwargs: (named: Readonly<Record<string, unknown>>, ...positional: readonly unknown[]) =>
      run(positional, named),
    forget: async (...args: readonly unknown[]) => await values.delete([keyOf(args, null)], []),
  });
}

/** Calls the service, and gives the last good result where that fails or takes too long. */
async function withFallback(
  { service, values }: CachedCallsOptions,
  method: string,
  { fallback, tags }: CallPolicy,
  key: string,
  ask: () => Promise<unknown>,
): Promise<unknown> {
  const { for: ttl, after, expected } = fallback!;
  const instead = async (reason: string) => {
    const text = await values.last(key);
    if (text === undefined) return undefined;
    values.tell(`fallback ${method}`, (log) => {
      log.warning(`Answered a call of "${service}.${method}" with its last good result: ${reason}`);
    });
    return text;
  };
  const asking = ask();
  const keep = async () => {
    const value = await asking;
    void values.keepResult(value, { key, ttl, staleFor: 0, tags });
    return value;
  };
  const keeping = keep();
  try {
    if (after !== undefined && !await within(after, keeping)) {
      const text = await instead(`it gave none within ${after} ms`);
      if (text !== undefined) {
        keeping.catch(() => {});
        return JSON.parse(text);
      }
    }
    return await keeping;
  } catch (error) {
    if (!isOutage(error, expected)) throw error;
    const text = await instead(messageOf(error));
    if (text === undefined) throw error;
    return JSON.parse(text);
  }
}
