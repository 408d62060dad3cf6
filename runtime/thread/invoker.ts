/**
 * Runs one call, from its message to its outcome.
 *
 * Invariant: each provider is released exactly once, in the reverse order of `get`, whatever fails. A
 * `release` that fails turns a success into a failure and never hides an earlier failure. The invariant holds
 * because `acquired` counts the providers whose `get` has returned, and the release loop counts it down. A
 * step that needs no wait uses no `await`: a handler that returns a value costs no turn of the event loop.
 */
import {
  bindProviders,
  type BoundProvider,
  type ProviderSurroundings,
  usedValues,
} from "./bound_providers.ts";
import { runInHooks } from "./call_hooks.ts";
import { type CallEntry, CallScope, type CallSurroundings } from "./call_scope.ts";
import { explainDenial } from "./denial.ts";
import { type EntryInbox, inboxesOf } from "./effects/inboxes.ts";
import type { CallResult } from "../service/dependency.ts";
import { SKIPPED } from "../service/effects/once.ts";
import type { Conversion, Payload } from "../service/entrypoint.ts";
import { type Body, isReply, type Reply } from "../message/reply.ts";
import type { AnyHook } from "../service/hook.ts";
import type { RemoteError } from "../message/errors.ts";
import { describeFailure, type Failure } from "../message/failure.ts";
import type { Outcome } from "../message/outcome.ts";
import {
  type KnownParameters,
  type Parameter,
  parametersOf,
  readParameters,
  type ReadParametersOptions,
} from "../service/declared/parameters.ts";
import { handlersOf } from "../service/handlers.ts";
import type { CallMessage } from "../channel/port.ts";
import { redactedArguments } from "./redaction.ts";
import { asksForRetry, reasonForRetry } from "../message/retry.ts";
import { entriesOf, type Entry } from "../service/manifest.ts";
import type { Service } from "../service/service.ts";

// deno-lint-ignore no-explicit-any -- handlers take the arguments that their entrypoint decodes
type Handler = (context: any, ...args: any[]) => unknown;

interface PreparedEntry extends Entry, CallEntry {
  readonly handler: Handler;
  readonly conversion: Conversion;
}

/** The failure of a call. */
interface Fault {
  readonly thrown: unknown;
  /** Whether the failure is the caller's fault. */
  readonly expected: boolean;
  /** Whether the call failed because its message could not be decoded. */
  readonly undecoded?: boolean;
  readonly args: readonly unknown[];
}

/** Runs the calls of one service in one thread. Disposing an invoker disposes its providers. */
export class Invoker implements AsyncDisposable {
  /** The handlers' parameters, as far as the entrypoints need them. Other threads may get a copy. */
  readonly parameters: KnownParameters;
  readonly #service: Service;
  readonly #entries: readonly PreparedEntry[];
  readonly #providers: readonly BoundProvider[];
  readonly #around: readonly AnyHook[];
  readonly #surroundings: CallSurroundings;
  readonly #reading: ReadParametersOptions;
  /** The inboxes by entrypoint. Empty if none needs one. */
  #inboxes: readonly (EntryInbox | undefined)[] = [];
  /** The parameters of all handlers, for the log. */
  #allParameters: Promise<KnownParameters> | undefined;
  #disposed = false;

  /** Use {@linkcode Invoker.create}. */
  constructor(
    service: Service,
    entries: readonly PreparedEntry[],
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
    // A service that an older copy of this library has made knows no hooks.
    this.#around = service.around ?? [];
    this.#surroundings = surroundings;
  }

  /**
   * Prepares the conversions and sets up the providers, in the order of definition.
   *
   * @param reading Options for reading the handlers' parameters.
   */
  static async create(
    service: Service,
    host: ProviderSurroundings,
    surroundings: CallSurroundings,
    reading: ReadParametersOptions = {},
  ): Promise<Invoker> {
    const specs = entriesOf(service);
    const handlers = handlersOf<Handler>(service.handlers as object, specs.map(({ method }) => method));
    const bindsByName = specs.some(({ spec }) => spec.bindsByName);
    const known = bindsByName ? await readParameters(handlers, reading) : {};
    const entries = await Promise.all(specs.map(async ({ method, spec }): Promise<PreparedEntry> => {
      const handler = handlers[method]!;
      const parameters = parametersOf(handler, known);
      const { messenger, payloads } = host;
      const facts = { service: service.name, method, parameters, messenger, ...(payloads && { payloads }) };
      const conversion = await spec.prepare(facts);
      const { kind, options } = spec;
      const request = conversion.request && ((payload: Payload) => conversion.request!(payload));
      return { method, spec, handler, conversion, kind, options, request };
    }));
    const providers: BoundProvider[] = [];
    const invoker = new Invoker(service, entries, providers, surroundings, known, reading);
    try {
      await bindProviders(service, host, providers);
      invoker.#inboxes = inboxesOf(specs, providers);
    } catch (error) {
      await invoker[Symbol.asyncDispose]();
      throw error;
    }
    return invoker;
  }

  /** Makes the scope of a call that is about to run. */
  scope(message: CallMessage): CallScope {
    return new CallScope(this.#entries[message.entrypoint]!, message, this.#surroundings);
  }

  /**
   * Runs a call; never rejects.
   *
   * @param stream Sends a reply that comes in chunks; the dependencies are released after the reply's end.
   */
  async invoke(
    message: CallMessage,
    call: CallScope,
    stream: (reply: Reply) => Promise<void> = () => Promise.resolve(),
  ): Promise<Outcome> {
    const entry = this.#entries[message.entrypoint]!;
    const { conversion } = entry;
    const providers = this.#providers;
    const inbox = this.#inboxes[message.entrypoint];
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
      const id = inbox?.idOf(args[0], message);
      decoded = true;
      call.arguments = args;
      const context: Record<string, unknown> = { call };
      let inner: Record<string, unknown> | undefined;
      for (; acquired < providers.length; acquired++) {
        const { key, provider, uses, isInner } = providers[acquired]!;
        const injected = provider.get(call, usedValues(uses, inner));
        const ready = isPromiseLike(injected) ? await injected : injected;
        if (isInner) {
          inner ??= {};
          inner[key] = ready;
        } else context[key] = ready;
      }
      if (inbox !== undefined && !await inbox.note(call, id!)) {
        call.log.debug(`Skipped a message that ${call.service}.${call.method} has handled before`, {
          id: id!,
        });
        encoded = { head: SKIPPED, body: undefined };
      } else {
        value = this.#around.length === 0
          ? entry.handler.call(this.#service.handlers, context, ...args)
          : this.#runInHooks(entry, call, context, args);
        if (isPromiseLike(value)) value = await value;
        const maybeEncoded = conversion.encode(value, call, message);
        encoded = isPromiseLike(maybeEncoded) ? await maybeEncoded : maybeEncoded;
      }
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
        : { ok: false, error: fault.thrown, expected: fault.expected };
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
    const { expected, undecoded } = fault;
    if (reply !== undefined) return { ...done(reply), fault: { name: failure.name, expected } };
    return { status: "failed", failure, expected, ...(undecoded && { undecoded }) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const { key, provider } of this.#providers.toReversed()) {
      try {
        await provider[Symbol.asyncDispose]?.();
      } catch (thrown) {
        this.#surroundings.logFor().error(`Cannot dispose dependency "${key}"`, { error: thrown });
      }
    }
  }

  #runInHooks(
    { handler }: PreparedEntry,
    call: CallScope,
    context: Record<string, unknown>,
    args: readonly unknown[],
  ): Promise<unknown> {
    call.context = context;
    const { handlers } = this.#service;
    return runInHooks(this.#around, call, context, () => handler.call(handlers, context, ...args));
  }

  async #encodeError(
    entry: PreparedEntry,
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
    entry: PreparedEntry,
    call: CallScope,
    { thrown, expected, args }: Fault,
    message: CallMessage,
  ): Promise<Failure> {
    const failure = describeFailure(thrown);
    // A handler that asks for a retry has made no error, so the log does not call it one.
    const known = expected || asksForRetry(failure);
    const reason = reasonForRetry(failure);
    const what = asksForRetry(failure)
      ? `asked for a retry${reason === undefined ? "" : `: ${reason}`}`
      : `failed: ${failure.name}: ${failure.message}`;
    const text = `${entry.spec.kind} ${call.service}.${call.method} ${what}`;
    const properties = {
      ...entry.conversion.logProperties?.(message),
      arguments: redactedArguments(await this.#parametersFor(entry, args), args, entry.spec.redact),
      ...(!known && { error: thrown }),
    };
    const outcome = asksForRetry(failure) ? "retry" : expected ? "expected" : "failed";
    const fields = { kind: entry.spec.kind, outcome } as const;
    if (known) call.log.info(text, properties, fields);
    else call.log.error(text, properties, fields);
    return failure;
  }

  /**
   * Gives the parameters of a handler, whose names the log uses for the arguments.
   *
   * If no entrypoint binds arguments by name, the parameters are read when a call fails for the first time.
   */
  async #parametersFor(
    { handler }: PreparedEntry,
    args: readonly unknown[],
  ): Promise<readonly Parameter[] | undefined> {
    if (args.length === 0) return undefined;
    this.#allParameters ??= readParameters(
      Object.fromEntries(this.#entries.map(({ method, handler }) => [method, handler])),
      // The log needs the names alone.
      { originalName: this.#reading.originalName, known: this.parameters },
    );
    return parametersOf(handler, await this.#allParameters);
  }
}

function done(encoded: Body | Reply): Extract<Outcome, { readonly status: "done" }> {
  return isReply(encoded)
    ? { status: "done", body: encoded.body, head: encoded.head }
    : { status: "done", body: encoded };
}

function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** Recognizes the error by its code, because the service may have its own copy of the class. */
function isBadRequest(thrown: unknown): boolean {
  const { code } = describeFailure(thrown);
  return code === "BAD_REQUEST" || code === "MALFORMED_REQUEST";
}

/** Compares the names of the classes of an error; of a remote error, also the name that it had there. */
function isExpected(thrown: unknown, expected: readonly string[]): boolean {
  if (expected.length === 0 || typeof thrown !== "object" || thrown === null) return false;
  try {
    if (expected.includes((thrown as Partial<RemoteError>).remoteName!)) return true;
    for (let prototype = thrown; prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
      const { name, constructor } = prototype as Error;
      if (expected.includes(name) || expected.includes(constructor?.name)) return true;
    }
  } catch {
    // An error that cannot be read is not an expected error.
  }
  return false;
}
