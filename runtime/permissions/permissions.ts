/**
 * This folder knows what a thread may do, and what Deno can do about it.
 *
 * This file has the permissions that the operator gives to a service.
 */
import { isTexts } from "../message/plain.ts";
import { ConfigurationError } from "../message/errors.ts";
import type { LoadNeeds } from "../program/own_modules.ts";

/** Grant of one permission: everything, nothing, or only the items of the list. */
export type PermissionGrant = boolean | readonly string[];

/** What the operator allows a service: all that the process may do, nothing, or only these permissions. */
export type ServicePermissions =
  | "all"
  | "none"
  | ({ readonly [Name in DenoPermissionName]?: PermissionGrant } & {
    /** Whether the service may start Workers. In them, nothing of what is closed in threads is closed. */
    readonly workers?: boolean;
  });

/** Name of a permission that Deno knows. */
export type DenoPermissionName = "env" | "ffi" | "import" | "net" | "read" | "run" | "sys" | "write";

/** Name of a permission that a thread can have. */
export type PermissionName = typeof PERMISSION_NAMES[number];

/** Names of the permissions of Deno. */
export const DENO_PERMISSION_NAMES = [
  "env",
  "ffi",
  "import",
  "net",
  "read",
  "run",
  "sys",
  "write",
] as const satisfies readonly DenoPermissionName[];

/** Names of the permissions, as in `--allow-net` and so on. Deno does not know that of Workers. */
export const PERMISSION_NAMES = [...DENO_PERMISSION_NAMES, "workers"] as const;

/** Text that says why there is no `--deny-net` or a similar flag. */
export const NO_DENIALS =
  "Deno can give a thread a permission, but cannot take away a part of it: name the parts " +
  "that the thread may have";

/**
 * Checks permissions that come from a configuration or a caller.
 *
 * Deno ignores an unknown key without a word, so a mistyped key would seem to be granted. Here it is an
 * error.
 *
 * @param where Name of the permissions in a message. A function returns the name of one permission; without
 * an argument, it returns the name of all of them.
 * @throws {ConfigurationError} If the permissions do not have the shape of {@linkcode ServicePermissions}.
 */
export function checkPermissions(
  value: unknown,
  where: string | ((name?: string) => string),
): ServicePermissions {
  const refuse = (reason: string, name?: string): never => {
    throw new ConfigurationError(`Cannot use ${typeof where === "string" ? where : where(name)}: ${reason}`);
  };
  if (value === "none" || value === "all") return value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refuse(`expected "all", "none" or a mapping, got ${Deno.inspect(value)}`);
  }
  for (const [name, grant] of Object.entries(value)) {
    if (/^(?:allow|deny)/.test(name)) refuse(`it lists what is allowed. ${NO_DENIALS}`, name);
    if (!isPermissionName(name)) {
      return refuse(`there is no permission "${name}", only ${PERMISSION_NAMES.join(", ")}`, name);
    }
    if (typeof grant === "boolean") continue;
    if (name === "workers") return refuse(`"${name}" takes no list: it must be true or false`, name);
    if (!isTexts(grant)) {
      return refuse(`"${name}" must be true, false or a list of texts, got ${Deno.inspect(grant)}`, name);
    }
    for (const item of grant) {
      const fault = faultOf(name, item);
      if (fault !== undefined) refuse(`"${name}" ${fault}`, name);
    }
  }
  return value as ServicePermissions;
}

const MAX_PORT = 65_535;

/** Says why an item cannot be in the list of a permission; undefined if it can. */
function faultOf(name: PermissionName, item: string): string | undefined {
  if (item === "") return "has an empty text in its list";
  if (item.startsWith("file:")) return `takes paths, and "${item}" is a URL`;
  if (name === "env" && item.includes("=")) return `takes names of variables, and "${item}" is none`;
  if (name === "net" && item.startsWith("unix:")) return undefined;
  if (name === "net" || name === "import") {
    if (item.includes("/") && !/^[\d.:a-f[\]]+\/\d+$/i.test(item)) {
      return `takes hosts such as api.example.com:443, and "${item}" is not a host`;
    }
    if (/^[^[]*:[^[]*:/.test(item) && !item.startsWith("vsock:")) {
      return `takes addresses of IPv6 in brackets, such as [::1]:443, and "${item}" has none`;
    }
    const port = /^(?:[^:]*|\[.*\]):([^:]*)$/.exec(item)?.[1];
    if (port !== undefined && !(/^\d+$/.test(port) && Number(port) <= MAX_PORT)) {
      return `takes ports up to ${MAX_PORT}, and "${item}" has no such port`;
    }
  }
  return undefined;
}

function isPermissionName(name: string): name is PermissionName {
  return (PERMISSION_NAMES as readonly string[]).includes(name);
}

/** Explains an error with which Deno refuses a service its permissions. Returns other errors unchanged. */
export function grantError(error: unknown, service: string): unknown {
  if (error instanceof Deno.errors.NotCapable) {
    return new ConfigurationError(
      `Cannot give ${service} its permissions: Deno itself has fewer. Give Deno the same permissions, or -A`,
      { cause: error },
    );
  }
  // Deno throws it for a list with an item that the permission does not take, such as an unknown system fact.
  return error instanceof TypeError || error instanceof URIError
    ? new ConfigurationError(
      `Cannot give ${service} its permissions: ${error.message}. Check the items of their lists`,
      { cause: error },
    )
    : error;
}

/** Returns the permissions of a thread: the operator's grant and the needs of loading its module. */
export function threadPermissions(
  granted: Exclude<ServicePermissions, "all">,
  needs: Pick<LoadNeeds, "read" | "import">,
): Deno.PermissionOptionsObject {
  const given = granted === "none" ? {} : granted;
  return {
    env: list(given.env),
    ffi: list(given.ffi),
    net: list(given.net),
    run: list(given.run),
    sys: list(given.sys),
    write: list(given.write),
    read: union(given.read, needs.read),
    import: union(given.import, needs.import),
  } as Deno.PermissionOptionsObject;
}

function list(grant: PermissionGrant = false): boolean | string[] {
  return typeof grant === "boolean" ? grant : [...grant];
}

function union(grant: PermissionGrant = false, needed: readonly string[]): boolean | string[] {
  if (grant === true) return true;
  return [...(grant === false ? [] : grant), ...needed];
}
