/**
 * The sentences that the compiler says where a definition does not fit.
 *
 * A sentence is a type of text that stands where no text can stand, so that the complaint of the compiler ends in it:
 * `Type '() => void' is not assignable to type '"The handler \"two\" has no entry in the table of entrypoints"'`. While
 * the compiler still finds out the types of the handlers, no sentence may stand anywhere: it would hide the types of
 * their parameters. So each table here has the keys of the mistakes alone.
 */

/**
 * A sentence for each handler that is missing, has no entrypoint, or leaves the type of a parameter open.
 *
 * @internal
 */
export type HandlerMistakes<Handlers, Entrypoints> =
  & {
    readonly [Method in Exclude<keyof Entrypoints, keyof Handlers | AnyName<Entrypoints>>]:
      `The entrypoint "${Method & string}" has no handler`;
  }
  & {
    readonly [Method in Exclude<keyof Handlers, keyof Entrypoints | State<Handlers>>]: `The handler "${
      & Method
      & string}" has no entry in the table of entrypoints`;
  }
  & {
    readonly [Method in Exclude<Extract<keyof Handlers, string>, Annotated<Handlers, Entrypoints>>]:
      `A parameter of the handler "${Method & string}" needs a type, as in hello(context, name: string)`;
  };

/** Any text, for a table whose names are not known, as that one is in which something is no entrypoint. */
type AnyName<Entrypoints> = string extends keyof Entrypoints ? string : never;

/** The members that are no functions: the state of the object that holds the handlers. */
type State<Handlers> = {
  [Key in keyof Handlers]: Handlers[Key] extends (...args: never[]) => unknown ? never : Key;
}[keyof Handlers];

/** The members none of whose parameters is `never`, which it is where neither its entrypoint nor its author says more. */
type Annotated<Handlers, Entrypoints> = {
  [Key in keyof Handlers]: Key extends keyof Entrypoints
    ? Handlers[Key] extends (context: never, ...args: infer Args) => unknown
      ? HasNever<Args> extends true ? never : Key
    : Key
    : Key;
}[keyof Handlers];

type HasNever<Args extends readonly unknown[]> = Args extends readonly [infer First, ...infer Others]
  ? [First] extends [never] ? true : HasNever<Others>
  : false;

/**
 * A sentence for a dependency whose key the context has already.
 *
 * @internal
 */
export type DependencyMistakes<Dependencies> = "call" extends keyof Dependencies
  ? { readonly call: 'The context reserves the key "call": choose another key' }
  : unknown;

/**
 * The name of a service, or a sentence if it cannot be a word of a routing key.
 *
 * @internal
 */
export type ServiceName<Name extends string> = Name extends "" ? "The name of a service is one word"
  : Name extends `${string}${"." | " " | "*" | "#"}${string}`
    ? `The name of a service is one word without dots and spaces, unlike "${Name}"`
  : Name;
