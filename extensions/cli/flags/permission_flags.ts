import { ConfigurationError } from "../../../runtime/message/errors.ts";
import {
  checkPermissions,
  NO_DENIALS,
  PERMISSION_NAMES,
  type PermissionGrant,
  type PermissionName,
  type ServicePermissions,
} from "../../../runtime/permissions/permissions.ts";

/** The parsed flags: `allowNet` is true for a bare `--allow-net`, otherwise the list of texts behind `=`. */
export type PermissionFlags = Readonly<Record<string, unknown>> & { readonly allowAll?: boolean };

const BARE_FLAG = new RegExp(`^--(?:allow|deny)-(?:${PERMISSION_NAMES.join("|")})$`);

/**
 * Returns the permissions that the flags give; undefined without such flags, so that the configuration
 * decides.
 *
 * @throws {ConfigurationError} If an item cannot be allowed, or if there is a flag that denies.
 */
export function permissionsOf(flags: PermissionFlags): ServicePermissions | undefined {
  const denied = PERMISSION_NAMES.find((name) => flags[flagOf("deny", name)] !== undefined);
  if (denied !== undefined) {
    throw new ConfigurationError(
      `Cannot use --deny-${denied}: ${NO_DENIALS}, as in --allow-${denied}=…`,
    );
  }
  if (flags.allowAll) return "all";
  const given = PERMISSION_NAMES.flatMap((name): [string, PermissionGrant][] => {
    const grant = flags[flagOf("allow", name)];
    return grant === undefined ? [] : [[name, grant as PermissionGrant]];
  });
  if (given.length === 0) return undefined;
  return checkPermissions(Object.fromEntries(given), (name) => `--allow-${name}`);
}

function flagOf(verb: "allow" | "deny", name: PermissionName): string {
  return `${verb}${name[0]!.toUpperCase()}${name.slice(1)}`;
}

/**
 * Moves each bare `--allow-net` to the end of the options.
 *
 * Deno takes the value of such a flag only behind `=`. The parser of the command line would also take the
 * next word as the value: in `run --allow-net ./service.ts`, the module would become a host. At the end,
 * there is no next word.
 */
export function moveBarePermissionFlags(argv: readonly string[]): string[] {
  const end = argv.includes("--") ? argv.indexOf("--") : argv.length;
  const options = argv.slice(0, end);
  return [
    ...options.filter((word) => !BARE_FLAG.test(word)),
    ...options.filter((word) => BARE_FLAG.test(word)),
    ...argv.slice(end),
  ];
}

/** Describes permissions in words. */
export function describePermissions(permissions: ServicePermissions): string {
  if (permissions === "all") return "all permissions";
  const granted = Object.entries(permissions === "none" ? {} : permissions).flatMap(([name, grant]) =>
    grant === false ? [] : grant === true ? [name] : [`${name}=${grant.join(",")}`]
  );
  return granted.length === 0 ? "no permissions" : granted.join(" ");
}
