/**
 * Checks what a service is to have against what this program has.
 *
 * Deno gives a thread nothing that its process has not. But a process that this program starts gets what its flags say,
 * so this program itself has to look.
 */
import {
  DENO_PERMISSION_NAMES,
  type DenoPermissionName,
  grantError,
  type PermissionGrant,
  type ServicePermissions,
} from "./permissions.ts";

/** The keys of the descriptors by which Deno is asked for one item. */
const ITEM_KEYS: Readonly<Record<DenoPermissionName, string>> = {
  env: "variable",
  ffi: "path",
  import: "host",
  net: "host",
  read: "path",
  run: "command",
  sys: "kind",
  write: "path",
};

/** Returns the name of a permission that this program has, but for a part that Deno denies; undefined if there is none. */
export function partlyDenied(): DenoPermissionName | undefined {
  return DENO_PERMISSION_NAMES.find((name) => Deno.permissions.querySync({ name }).partial);
}

/**
 * Checks that this program has all that the process of a service is to have.
 *
 * @throws {ConfigurationError} If it has less.
 */
export function requireOwnGrant(permissions: ServicePermissions, service: string): void {
  for (const name of DENO_PERMISSION_NAMES) {
    try {
      if (!isOwn(name, grantOf(permissions, name))) throw new Deno.errors.NotCapable();
    } catch (error) {
      throw grantError(error, service);
    }
  }
}

function grantOf(permissions: ServicePermissions, name: DenoPermissionName): PermissionGrant {
  if (permissions === "all") return true;
  return permissions === "none" ? false : permissions[name] ?? false;
}

function isOwn(name: DenoPermissionName, grant: PermissionGrant): boolean {
  if (grant === false || isGranted({ name })) return true;
  return grant !== true &&
    grant.every((item) =>
      isGranted({ name, [ITEM_KEYS[name]]: askable(name, item) } as unknown as Deno.PermissionDescriptor)
    );
}

/** Deno cannot be asked for all hosts below one (`*.api.example`). But it can for one that only such an item allows. */
function askable(name: DenoPermissionName, item: string): string {
  const isPattern = item.startsWith("*.") && (name === "net" || name === "import");
  return isPattern ? crypto.randomUUID() + item.slice(1) : item;
}

/** Says whether this program has a permission, and Deno denies no part of it. */
export function isGranted(descriptor: Deno.PermissionDescriptor): boolean {
  const { state, partial } = Deno.permissions.querySync(descriptor);
  return state === "granted" && !partial;
}

/** Says whether this program may run another one, such as `Deno.execPath()`. */
export function mayRun(command: string): boolean {
  return Deno.permissions.querySync({ name: "run", command }).state === "granted";
}
