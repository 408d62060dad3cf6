import { ConfigurationError } from "../message/errors.ts";
import { isRecord } from "../message/plain.ts";
import type { ServicePermissions } from "./permissions.ts";

/**
 * Reads the environment variables that an operator gives to a service. Numbers and booleans become texts, and
 * null, which stands for a reference to an unset variable, counts as absent.
 *
 * @param where Name of the variables in a message. A function returns the name of one of them; without an
 * argument, it returns the name of all of them.
 * @throws {ConfigurationError} If it is no mapping, or a name or a value cannot be that of a variable. The
 * message has no value, which may be a secret.
 */
export function checkVariables(
  value: unknown,
  where: string | ((name?: string) => string),
): Readonly<Record<string, string>> {
  const refuse = (reason: string, name?: string): never => {
    throw new ConfigurationError(`Cannot use ${typeof where === "string" ? where : where(name)}: ${reason}`);
  };
  if (!isRecord(value)) {
    return refuse("it is no mapping. Write the names of environment variables with their values");
  }
  const variables: Record<string, string> = Object.create(null);
  for (const [name, item] of Object.entries(value)) {
    if (item === null) continue;
    if (!/^[^=\0]+$/.test(name)) refuse("no environment variable can have this name", name);
    if (typeof item !== "string" && typeof item !== "number" && typeof item !== "boolean") {
      return refuse(`the value of "${name}" is neither a text nor a number nor true or false`, name);
    }
    variables[name] = String(item);
  }
  return { ...variables };
}

/**
 * Returns the names of the single variables that a service may read; empty if it may read all or none.
 *
 * A pattern such as `AWS_*` stands for the variables that are set. Only the main thread may be able to list them.
 */
export function permittedVariables(permissions: ServicePermissions): readonly string[] {
  const { env: grant } = typeof permissions === "object" ? permissions : {};
  if (grant === undefined || typeof grant === "boolean") return [];
  const [patterns, names] = [grant.filter(isPattern), grant.filter((item) => !isPattern(item))];
  if (patterns.length === 0) return names;
  const prefixes = patterns.map((pattern) => pattern.slice(0, -1));
  const matching = setVariables().filter((name) => prefixes.some((prefix) => name.startsWith(prefix)));
  return [...new Set([...names, ...matching])];
}

function isPattern(item: string): boolean {
  return item.endsWith("*");
}

function setVariables(): readonly string[] {
  return Deno.permissions.querySync({ name: "env" }).state === "granted"
    ? Object.keys(Deno.env.toObject())
    : [];
}
