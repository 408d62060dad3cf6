/**
 * Functions as they are before service code can replace them.
 *
 * What this thread closes must hold even if the service replaces methods of the language, such as
 * `Array.prototype.map` or `Function.prototype.call`. So the code of the closings calls such methods only from
 * here, and uses no spread and no destructuring of lists, which call the iterator of the list.
 */
export const apply: typeof Reflect.apply = Reflect.apply;
export const construct: typeof Reflect.construct = Reflect.construct;
export const defineProperty: typeof Reflect.defineProperty = Reflect.defineProperty;
export const getPrototypeOf: typeof Reflect.getPrototypeOf = Reflect.getPrototypeOf;

const { slice, startsWith: startsWithMethod } = String.prototype;
const protocolOf = Object.getOwnPropertyDescriptor(URL.prototype, "protocol")!.get!;
const URL_CLASS = URL;
const { parse } = URL_CLASS;

/** Says whether a text starts with another text. */
export function startsWith(text: string, start: string): boolean {
  return apply(startsWithMethod, text, [start]) as boolean;
}

/** Returns the part of a text from a place to its end. */
export function textFrom(text: string, place: number): string {
  return apply(slice, text, [place]) as string;
}

/** Returns the scheme of a URL with its colon; undefined if the text is no absolute URL. */
export function schemeOf(text: string): string | undefined {
  const url = apply(parse, URL_CLASS, [text]) as URL | null;
  return url === null ? undefined : apply(protocolOf, url, []) as string;
}
