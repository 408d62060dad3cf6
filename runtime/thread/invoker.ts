/**
 * One call, from message to outcome.
 *
 * Invariant: providers are released in the reverse order of `get`, each exactly once, whatever fails; a failing
 * `release` turns a success into a failure and never hides an earlier failure. It holds because `acquired`
 * counts the providers whose `get` has returned, and the release loop counts it down. What can be done without
 * waiting is done without `await`: a handler that returns a value costs no turn of the event loop.
 */
import { CallScope, type CallSurroundings } from "./call_scope.ts";
import { explainDenial } from "./denial.ts";
import type { CallResult, DependencyHost, Provider } from "../service/dependency.ts";
import type { AnyEntrypoint, Conversion } from "../service/entrypoint.ts";
import { type Body, isReply, type Reply } from "../message/reply.ts";
import { describeFailure, type Failure } from "../message/failure.ts";
import type { Outcome } from "../message/outcome.ts";
import {
  type KnownParameters,
  type Parameter,
  parametersOf,
  readParameters,
  type ReadParametersOptions,
} from "../service/parameters.ts";
import type { CallMessage } from "../channel/port.ts";
import { redactedArguments } from "./redaction.ts";
import { asksForRetry } from "../message/retry.ts";
import { entrypointsOf, type Service } from "../service/service.ts";

// deno-lint-ignore no-explicit-any -- handlers take whatever their entrypoint decodes
type Handler = (context: any, ...args: any[]) => unknown;

interface Entry {
  readonly method: string;
  readonly spec: AnyEntrypoint;
  readonly handler: Handler;
  readonly conversion: Conversion;
}

interface BoundProvider {
  readonly key: string;
  readonly provider: Provider<unknown>;
}

/** How a call failed, and where. */
interface Fault {
  readonly thrown: unknown;
  /** Whether it is the caller's fault. */
  readonly expected: boolean;
  /** Whether its message could not be read. */
  readonly undecoded?: boolean;
  readonly args: readonly unknown[];
}

/** Runs the calls of one service in one thread. Disposing it disposes the providers. */
export class Invoker implements AsyncDisposable {
  /** What had to be known of the handlers' parameters, which other threads may be told. */
  readonly parameters: KnownParameters;
  readonly #service: Service;
  readonly #entries: readonly Entry[];
  readonly #providers: readonly BoundProvider[];
  readonly #surroundings: CallSurroundings;
  readonly #reading: ReadParametersOptions;
  /** Of all handlers, for the log. */
  #allParameters: Promise<KnownParameters> | undefined;
  #disposed = false;

  /** Use {@linkcode Invoker.create}. */
  constructor(
    service: Service,
    entries: readonly Entry[],
    providers: readonly BoundProvider[],
    surroundings: CallSurroundings,
    parameters: KnownParameters,
    reading: ReadParametersOptions,
  ) {
    this.parameters = parameters;
    this.#reading = reading;
    this.#service = service;
    this.#entries = entries;
    this.#providers = providers;
    this.#surroundings = surroundings;
  }

  /**
   * Prepares the conversions and sets up the providers, in the order of definition.
   *
   * @param reading How to read the parameters of handlers.
   */
  static async create(
    service: Service,
    host: Omit<DependencyHost, "key">,
    surroundings: CallSurroundings,
    reading: ReadParametersOptions = {},
  ): Promise<Invoker> {
    const handlers = service.handlers as Readonly<Record<string, Handler>>;
    const specs = Object.entries(service.entrypoints).flatMap(([method, entry]) =>
      entrypointsOf(entry).map((spec) => ({ method, spec }))
    );
    const bindsByName = specs.some(({ spec }) => spec.bindsByName);
    const known = bindsByName ? await readParameters(handlers, reading) : {};
    const entries = specs.map(({ method, spec }): Entry => {
      const handler = handlers[method]!;
      const parameters = parametersOf(handler, known);
      return {
        method,
        spec,
        handler,
        conversion: spec.prepare({ service: service.name, method, parameters }),
      };
    });
    const providers: BoundProvider[] = [];
    const invoker = new Invoker(service, entries, providers, surroundings, known, reading);
    let place = "";
    try {
      for (const [key, spec] of Object.entries(service.dependencies)) {
        place = `dependency "${key}" of ${service.name}`;
        const bound = { ...host, key };
        const provider: Provider<unknown> = spec.bind(bound);
        await provider.setup?.(bound);
        providers.push({ key, provider });
      }
    } catch (error) {
      await invoker[Symbol.asyncDispose]();
      explainDenial(error, place);
      throw error;
    }
    return invoker;
  }

  /** The scope of a call that is about to run. */
  scope({ entrypoint, headers, timeout }: CallMessage): CallScope {
    return new CallScope(this.#entries[entrypoint]!.method, headers, this.#surroundings, timeout);
  }

  /**
   * Runs a call; never rejects.
   *
   * @param stream Sends a reply that comes bit by bit; the dependencies are released after its end.
   */
  async invoke(
    message: CallMessage,
    call: CallScope,
    stream: (reply: Reply) => Promise<void> = () => Promise.resolve(),
  ): Promise<Outcome> {
    const entry = this.#entries[message.entrypoint]!;
    const { conversion } = entry;
    const providers = this.#providers;
    let args: readonly unknown[] = [];
    let acquired = 0;
    let encoded: Body | Reply;
    let fault: Fault | undefined;
    let value: unknown;
    let decoded = false;
    let opened = false;
    try {
      const maybeArgs = conversion.decode(message, call);
      args = isPromiseLike(maybeArgs) ? await maybeArgs : maybeArgs;
      decoded = true;
      const context: Record<string, unknown> = { call };
      for (; acquired < providers.length; acquired++) {
        const { key, provider } = providers[acquired]!;
        const injected = provider.get(call);
        context[key] = isPromiseLike(injected) ? await injected : injected;
      }
      value = entry.handler.call(this.#service.handlers, context, ...args);
      if (isPromiseLike(value)) value = await value;
      const maybeEncoded = conversion.encode(value, call);
      encoded = isPromiseLike(maybeEncoded) ? await maybeEncoded : maybeEncoded;
      if (isReply(encoded) && encoded.chunks !== undefined) {
        opened = true;
        call.liftTimeout();
        await stream(encoded);
      }
    } catch (thrown) {
      explainDenial(thrown, `${call.service}.${call.method}`);
      const refused = !decoded && isBadRequest(thrown);
      fault = {
        thrown,
        expected: refused || isExpected(thrown, entry.spec.expected),
        undecoded: refused,
        args,
      };
    }
    while (acquired > 0) {
      const { provider } = providers[--acquired]!;
      if (provider.release === undefined) continue;
      const result: CallResult = fault === undefined
        ? { ok: true, value }
        : { ok: false, error: fault.thrown };
      try {
        await provider.release(call, result);
      } catch (thrown) {
        explainDenial(thrown, `${call.service}.${call.method}`);
        if (fault !== undefined) await this.#report(entry, call, { thrown, expected: false, args }, message);
        fault ??= { thrown, expected: false, args };
      }
    }
    call.end();
    if (fault === undefined) return done(encoded);
    const failure = await this.#report(entry, call, fault, message);
    const reply = opened ? undefined : await this.#encodeError(entry, call, fault, message);
    if (reply !== undefined) return done(reply);
    const { expected, undecoded } = fault;
    return { status: "failed", failure, expected, ...(undecoded && { undecoded }) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const { key, provider } of this.#providers.toReversed()) {
      try {
        await provider[Symbol.asyncDispose]?.();
      } catch (thrown) {
        this.#surroundings.logFor({}).error(`Cannot dispose dependency "${key}"`, { error: thrown });
      }
    }
  }

  async #encodeError(
    entry: Entry,
    call: CallScope,
    { thrown, expected, args }: Fault,
    message: CallMessage,
  ): Promise<Reply | undefined> {
    try {
      return await entry.conversion.encodeError?.(thrown, expected, message, call);
    } catch (error) {
      await this.#report(entry, call, { thrown: error, expected: false, args }, message);
      return undefined;
    }
  }

  async #report(
    entry: Entry,
    call: CallScope,
    { thrown, expected, args }: Fault,
    message: CallMessage,
  ): Promise<Failure> {
    const failure = describeFailure(thrown);
    // Asking for a retry is no fault.
    const known = expected || asksForRetry(failure);
    const text =
      `${entry.spec.kind} ${call.service}.${call.method} failed: ${failure.name}: ${failure.message}`;
    const properties = {
      ...entry.conversion.logProperties?.(message),
      arguments: redactedArguments(await this.#parametersFor(entry, args), args, entry.spec.redact),
      ...(!known && { error: thrown }),
    };
    if (known) call.log.info(text, properties);
    else call.log.error(text, properties);
    return failure;
  }

  /** What the log calls the arguments; where nothing is bound by name, it is found out when first something fails. */
  async #parametersFor(
    { handler }: Entry,
    args: readonly unknown[],
  ): Promise<readonly Parameter[] | undefined> {
    if (args.length === 0) return undefined;
    const handlers = this.#service.handlers as Readonly<Record<string, Handler>>;
    this.#allParameters ??= readParameters(handlers, { ...this.#reading, known: this.parameters });
    return parametersOf(handler, await this.#allParameters);
  }
}

function done(encoded: Body | Reply): Outcome {
  return isReply(encoded)
    ? { status: "done", body: encoded.body, head: encoded.head }
    : { status: "done", body: encoded };
}

function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** By code, because the service may carry its own copy of the class. */
function isBadRequest(thrown: unknown): boolean {
  const { code } = describeFailure(thrown);
  return code === "BAD_REQUEST" || code === "MALFORMED_REQUEST";
}

function isExpected(thrown: unknown, expected: readonly string[]): boolean {
  if (expected.length === 0 || typeof thrown !== "object" || thrown === null) return false;
  try {
    for (let prototype = thrown; prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
      const { name, constructor } = prototype as Error;
      if (expected.includes(name) || expected.includes(constructor?.name)) return true;
    }
  } catch {
    // What cannot be read is not what was expected.
  }
  return false;
}
