/**
 * The types by which a handler of events knows what their source dispatches.
 *
 * The source is a service or a contract. Its dispatchers say which events there are, and what their payloads are.
 */
import type { DependencySpec } from "../../runtime/service/dependency.ts";
import type { JsonResult } from "../../runtime/service/json.ts";
import type { Contract } from "../../runtime/service/service.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { DispatchOptions } from "./event_message.ts";

/** The events of a dispatcher. Other values have none. */
type EventsIn<Injected> = Injected extends Dispatcher<infer Events> ? unknown extends Events ? never : Events
  : never;

type EventsAmong<Dependencies> = {
  [Key in keyof Dependencies]: Dependencies[Key] extends DependencySpec<infer Injected> ? EventsIn<Injected>
    : never;
}[keyof Dependencies];

/**
 * The events of each dispatcher that a service has or a contract states.
 *
 * @internal
 */
type EventTables<Source> =
  | (Source extends { readonly dependencies: infer Dependencies } ? EventsAmong<Dependencies> : never)
  | (Source extends { readonly dispatchers?: infer Dispatchers } ? EventsAmong<Dispatchers> : never);

/** @internal */
type NameIn<Tables> = Tables extends unknown ? keyof Tables & string : never;

/** @internal */
type PayloadIn<Tables, Name> = Tables extends unknown ? Name extends keyof Tables ? Tables[Name] : never
  : never;

/**
 * The events of a service or of a contract: payloads by type, as its dispatchers take them.
 *
 * @example
 * ```ts ignore
 * import type { EventsOf } from "@enoki/enoki";
 * import { fakeDispatcher } from "@enoki/enoki/testing";
 *
 * const emit = fakeDispatcher<EventsOf<typeof orders>>();
 * ```
 */
export type EventsOf<Source> = {
  readonly [Name in NameIn<EventTables<Source>>]: PayloadIn<EventTables<Source>, Name>;
};

/**
 * Whether a type is that of a service or a contract, and not that of a payload.
 *
 * @internal
 */
type IsSource<T> = 0 extends 1 & T ? false : [T] extends [Contract] ? true : false;

/**
 * The name of the service that dispatches the events.
 *
 * @internal
 */
export type SourceName<Source> = IsSource<Source> extends true
  ? Source extends { readonly name: infer Name extends string } ? Name : string
  : string;

/** A type that is a pattern, with `*` for one word between dots or `#` for any number. */
type Pattern = `${string}${"*" | "#"}${string}`;

/**
 * The types and patterns that a handler of a source may name, or a sentence if the source dispatches nothing.
 *
 * @internal
 */
export type EventType<Source> = IsSource<Source> extends true
  ? [keyof EventsOf<Source>] extends [never]
    ? `"${SourceName<Source>}" dispatches no events: it has no dispatcher<{ … }>()`
  : keyof EventsOf<Source> & string | Pattern
  : string;

type Words<Type extends string> = Type extends `${infer Word}.${infer Others}` ? [Word, ...Words<Others>]
  : [Type];

/** Whether the words of a type fit those of a pattern. */
type Fits<Name extends readonly string[], Pattern extends readonly string[]> = Pattern extends
  readonly ["#", ...infer Rest extends readonly string[]] ? Fits<Name, Rest> extends true ? true
  : Name extends readonly [string, ...infer Others extends readonly string[]] ? Fits<Others, Pattern>
  : false
  : Pattern extends readonly [infer Word, ...infer Rest extends readonly string[]]
    ? Name extends readonly [infer First, ...infer Others extends readonly string[]]
      ? Word extends "*" | First ? Fits<Others, Rest> : false
    : false
  : Name extends readonly [] ? true
  : false;

type Fitting<Name extends string, Type extends string> = IsAnyOf<Type> extends true ? Name
  : Type extends Name ? Name
  : Fits<Words<Name>, Words<Type>> extends true ? Name
  : never;

/** Whether a type stands for many texts, as `string` does, so that it may fit any event. */
type IsAnyOf<Type extends string> = Record<never, never> extends Record<Type, 1> ? true : false;

/**
 * The names of those events that a type or a pattern fits.
 *
 * @internal
 */
type FittingNames<Name extends string, Type extends string> = Name extends unknown
  ? Type extends unknown ? Fitting<Name, Type> : never
  : never;

/**
 * The payload of the events of a type, as JSON has it: that is what a handler gets. A pattern has the payloads of all
 * events that it fits.
 *
 * @example
 * ```ts ignore
 * import type { EventPayload } from "@enoki/enoki";
 *
 * type Placed = EventPayload<typeof orders, "placed">;
 * ```
 */
export type EventPayload<Source, Type extends string = EventType<Source>> = IsSource<Source> extends true
  ? string extends keyof EventsOf<Source> ? unknown
  : JsonResult<
    EventsOf<Source>[FittingNames<keyof EventsOf<Source> & string, Type>]
  >
  : Source;

/**
 * What it takes to dispatch an event in the name of a service: whose event, its type and its payload.
 *
 * @internal
 */
export type DispatchArguments<Source> = IsSource<Source> extends true ? {
    [Type in keyof EventsOf<Source>]: [
      source: SourceName<Source>,
      type: Type,
      payload: EventsOf<Source>[Type],
      options?: DispatchOptions,
    ];
  }[keyof EventsOf<Source>]
  : [source: string, type: string, payload: unknown, options?: DispatchOptions];
