/** The handlers that a service asks for, by its entrypoints and its dependencies: types alone. */
import type { Call } from "../call.ts";
import type { DependencySpec, DependencyTable } from "../dependency.ts";
import type { EntrypointSpec, EntrypointTable } from "../entrypoint.ts";

/** The type of the value that a dependency injects. */
export type Injected<Spec> = Spec extends DependencySpec<infer T> ? T : never;

/** The first parameter of a handler: the dependencies by name, and `call`. */
export type Context<Dependencies extends DependencyTable> =
  & { readonly [Key in keyof Dependencies]: Injected<Dependencies[Key]> }
  & { readonly call: Call };

/**
 * The entrypoints of an entry, which is one or a list.
 *
 * @internal
 */
type Spec<Entry> = Entry extends readonly (infer Each)[] ? Each : Entry;

/**
 * The arguments that an entrypoint states. An RPC entrypoint without a signature states none (`never[]`).
 *
 * @internal
 */
type ArgsOf<Each> = Each extends EntrypointSpec<string, infer Args, infer _Result>
  ? Args extends readonly never[] ? number extends Args["length"] ? never : Args : Args
  : never;

/** @internal */
type ResultOf<Each> = Each extends EntrypointSpec<string, infer _Args, infer Result>
  ? unknown extends Result ? never : Result
  : never;

/** @internal */
type Or<Stated, Otherwise> = [Stated] extends [never] ? Otherwise : Stated;

/** @internal */
type HandlerResult<Result> = Awaited<Result> | Promise<Awaited<Result>>;

/** The function that an entry of the table asks for. */
export type HandlerOf<Dependencies extends DependencyTable, Entry, Added = unknown> = (
  context: Context<Dependencies> & Added,
  ...args: Or<ArgsOf<Spec<Entry>>, never[]>
) => HandlerResult<Or<ResultOf<Spec<Entry>>, unknown>>;

/** The method that an entrypoint asks for: a handler without its context, which has its dependencies in `this`. */
export type MethodOf<Entry> = (
  ...args: Or<ArgsOf<Spec<Entry>>, never[]>
) => HandlerResult<Or<ResultOf<Spec<Entry>>, unknown>>;

/**
 * The handlers that a table of entrypoints asks for.
 *
 * @internal
 */
export type HandlersOf<
  Dependencies extends DependencyTable,
  Entrypoints extends EntrypointTable,
  Added = unknown,
> = {
  readonly [Method in keyof Entrypoints]: HandlerOf<Dependencies, Entrypoints[Method], Added>;
};
