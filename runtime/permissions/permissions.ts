import { isTexts } from "../message/plain.ts";
import { ConfigurationError } from "../message/errors.ts";
import type { LoadNeeds } from "../program/own_modules.ts";

/** One permission: everything, nothing, or what the list names. */
export type PermissionGrant = boolean | readonly string[];

/** What a service may do, as its operator says it: all that the process may, nothing, or just this. */
export type ServicePermissions =
  | "all"
  | "none"
  | { readonly [Name in PermissionName]?: PermissionGrant };

/** The permissions that a thread can be given. */
export type PermissionName = typeof PERMISSION_NAMES[number];

/** Names of the permissions, as in `--allow-net` and so on. */
export const PERMISSION_NAMES = ["env", "ffi", "import", "net", "read", "run", "sys", "write"] as const;

/** Why there is no `--deny-net` and the like. */
export const NO_DENIALS =
  "Deno can allow a thread something, and cannot take a part of it away: name the parts " +
  "that it may have";

/**
 * Checks permissions that come from a configuration or a caller.
 *
 * Deno ignores an unknown key in silence, so that a mistyped one would pass for granted; here it is an error.
 *
 * @param where What to call them in a message, and what to call one of them.
 * @throws {ConfigurationError} If they are not of the shape of {@linkcode ServicePermissions}.
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

/** Why an item cannot be in the list of a permission; undefined if it can. */
function faultOf(name: PermissionName, item: string): string | undefined {
  if (item === "") return "has an empty text in its list";
  if (item.startsWith("file:")) return `takes paths, and "${item}" is a URL`;
  if (name === "net" || name === "import") {
    if (item.includes("/") && !/^[\d.:a-f[\]]+\/\d+$/i.test(item)) {
      return `takes hosts such as api.example.com:443, and "${item}" is none`;
    }
    const port = /^(?:[^:]*|\[.*\]):([^:]*)$/.exec(item)?.[1];
    if (port !== undefined && !(/^\d+$/.test(port) && Number(port) <= MAX_PORT)) {
      return `takes ports up to ${MAX_PORT}, and "${item}" has none`;
    }
  }
  return undefined;
}

function isPermissionName(name: string): name is PermissionName {
  return (PERMISSION_NAMES as readonly string[]).includes(name);
}

/** What to say when Deno does not give a service's threads their permissions. */
export function grantError(error: unknown, service: string): unknown {
  if (error instanceof Deno.errors.NotCapable) {
    return new ConfigurationError(
      `Cannot give ${service} its permissions: Deno itself has fewer. Give them to both, or -A to Deno`,
      { cause: error },
    );
  }
  // Of a list whose items are not what the permission takes, such as an unknown fact about the system.
  return error instanceof TypeError || error instanceof URIError
    ? new ConfigurationError(
      `Cannot give ${service} its permissions: ${error.message}. Check the items of their lists`,
      { cause: error },
    )
    : error;
}

/** The permissions of a thread: what the operator gave, and reading the module's own files to load them. */
export function threadPermissions(
  granted: Exclude<ServicePermissions, "all">,
  needs: LoadNeeds,
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
