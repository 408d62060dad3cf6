/** Data that structured clone and JSON both carry; what crosses threads outside the hot path. */
export type Plain =
  | null
  | boolean
  | number
  | string
  | readonly Plain[]
  | { readonly [key: string]: Plain };

/** A plain object. */
export type PlainRecord = { readonly [key: string]: Plain };
