import type { Plain } from "../message/plain.ts";

/** The type of a value after its way through JSON: a `Date` becomes a string, and a method disappears. */
export type Json<T> = 0 extends 1 & T ? T
  : unknown extends T ? unknown
  : T extends { toJSON(): infer R } ? Json<R>
  : T extends Plain ? T
  : T extends NotJson | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> ? never
  : T extends ArrayBufferView ? { readonly [index: string]: number }
  : T extends readonly unknown[] ? { [Index in keyof T]: JsonElement<T[Index]> }
  : T extends object ? JsonObject<T>
  : never;

/** The type of a handler's result at its caller. If the handler returns nothing, the caller gets `null`. */
export type JsonResult<T> = [T] extends [never] ? never
  : 0 extends 1 & T ? T
  : T extends void | undefined ? null
  : Json<T>;

/** @internal */
type NotJson = undefined | symbol | bigint | ((...args: never[]) => unknown);

/**
 * In an array, `null` replaces a value that JSON cannot carry.
 *
 * @internal
 */
type JsonElement<T> = T extends NotJson ? null : Json<T>;

/**
 * An object loses the values that JSON cannot carry, and a value that may be undefined may be absent.
 *
 * @internal
 */
type JsonObject<T extends object> = Flat<
  & { [Key in keyof T as KeptKey<T, Key, false>]: Json<Exclude<T[Key], NotJson>> }
  & { [Key in keyof T as KeptKey<T, Key, true>]?: Json<Exclude<T[Key], NotJson>> }
>;

type KeptKey<T, Key extends keyof T, Absent extends boolean> = Key extends symbol ? never
  : [T[Key]] extends [NotJson] ? never
  : MayBeAbsent<T[Key]> extends Absent ? Key
  : never;

type MayBeAbsent<T> = unknown extends T ? false : undefined extends T ? true : false;

type Flat<T> = { [Key in keyof T]: T[Key] };
