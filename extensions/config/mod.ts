/** Offers the configuration as a dependency. */
import { type DependencySpec, provider } from "../../runtime/service/dependency.ts";
import type { Plain, PlainRecord } from "../../runtime/message/plain.ts";
import type { SchemaOutput, StandardSchema } from "../../runtime/service/standard_schema.ts";
import { checkedConfig } from "./checked_config.ts";

/**
 * Injects the whole configuration, the value of one key, or what a schema makes of the configuration.
 *
 * @param key A top-level key, such as `FOO_FEATURE_ENABLED`.
 * @param fallback Value that is injected if the key is absent or null. @default {null}
 */
export function config(): DependencySpec<PlainRecord>;
/** Injects the value of one key, or null if the key is absent. */
export function config<Value extends Plain = Plain>(key: string): DependencySpec<Value | null>;
/** Injects the value of one key, or `fallback` if the key is absent or null. */
export function config<Value extends Plain>(key: string, fallback: Value): DependencySpec<Widened<Value>>;
/**
 * Injects what a schema makes of the configuration: zod, valibot, arktype or any other Standard Schema.
 *
 * The check runs before the service starts. What is wrong or missing ends the start, with its file and line. A key
 * whose value is null counts as absent.
 *
 * @example
 * ```ts
 * import { config } from "@enoki/enoki";
 * import { z } from "npm:zod@4";
 *
 * const dependencies = { settings: config(z.object({ CURRENCY: z.string(), LIMIT: z.number().default(100) })) };
 * ```
 */
export function config<Schema extends StandardSchema>(schema: Schema): DependencySpec<SchemaOutput<Schema>>;
export function config(
  what?: string | StandardSchema,
  fallback: Plain = null,
): DependencySpec<unknown> {
  if (what === undefined || typeof what === "string") {
    return provider((host) => {
      const value = what === undefined ? host.config : host.config[what] ?? fallback;
      return { get: () => value };
    });
  }
  if (typeof what?.["~standard"]?.validate !== "function") {
    throw new TypeError(
      "Cannot inject the configuration: give config() a key, or a schema, such as z.object({ KEY: z.string() })",
    );
  }
  return provider((host) => {
    let value: unknown;
    return {
      async setup() {
        value = await checkedConfig(what, host.config);
      },
      get: () => value,
    };
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
