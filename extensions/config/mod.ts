/** Offers the configuration as a dependency. */
import { type DependencySpec, provider } from "../../runtime/service/dependency.ts";
import type { Plain, PlainRecord } from "../../runtime/message/plain.ts";

/**
 * Injects the whole configuration, or the value of one key.
 *
 * @param key A top-level key, such as `FOO_FEATURE_ENABLED`.
 * @param fallback Value that is injected if the key is absent or null. @default {null}
 */
export function config(): DependencySpec<PlainRecord>;
/** Injects the value of one key, or null if the key is absent. */
export function config<Value extends Plain = Plain>(key: string): DependencySpec<Value | null>;
/** Injects the value of one key, or `fallback` if the key is absent or null. */
export function config<Value extends Plain>(key: string, fallback: Value): DependencySpec<Widened<Value>>;
export function config(key?: string, fallback: Plain = null): DependencySpec<Plain> {
  return provider((host) => {
    const value = key === undefined ? host.config : host.config[key] ?? fallback;
    return { get: () => value };
  });
}

/**
 * Widens the type of a fallback: with a fallback of `10`, the value may be any number.
 *
 * @internal
 */
type Widened<Value> = Value extends string ? string
  : Value extends number ? number
  : Value extends boolean ? boolean
  : Value;
