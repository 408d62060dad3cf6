/** Data that both structured clone and JSON can carry. It crosses threads outside the hot path. */
export type Plain =
  | null
  | boolean
  | number
  | string
  | readonly Plain[]
  | { readonly [key: string]: Plain };

/** A plain object. */
export type PlainRecord = { readonly [key: string]: Plain };

/** Says whether a value is an object with keys: neither null nor a list. */
export function isRecord(value: Plain | undefined): value is PlainRecord;
/** Says whether a value of unknown origin is an object with keys. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>>;
export function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Says whether a value is a list of texts. */
export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** Options that each have a value or are absent. */
export type Given<Options> = { readonly [Name in keyof Options]?: Exclude<Options[Name], undefined> };

/** Leaves out the options that are undefined, so that they do not win over others. */
export function given<Options extends object>(options: Options): Given<Options> {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as Given<Options>;
}
