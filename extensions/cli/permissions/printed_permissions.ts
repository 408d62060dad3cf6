import { formatConfigYaml } from "../../../runtime/config/yaml.ts";
import type { ConfigValue } from "../../../runtime/config/yaml.ts";
import type { ServicePermissions } from "../../../runtime/permissions/permissions.ts";

/** Formats permissions as flags of `run`, as a shell takes them. */
export function permissionFlags(permissions: ServicePermissions): string {
  if (typeof permissions === "string") return permissions === "all" ? "-A" : "";
  return Object.entries(permissions).map(([name, grant]) =>
    grant === true ? `--allow-${name}` : quoted(`--allow-${name}=${(grant as readonly string[]).join(",")}`)
  ).join(" ");
}

function quoted(word: string): string {
  return /^[\w./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Formats permissions as keys of the configuration: for the service, or for all if there are several. */
export function permissionYaml(permissions: ServicePermissions, services: readonly string[]): string {
  const own = { permissions: permissions as ConfigValue };
  return formatConfigYaml(services.length === 1 ? { services: { [services[0]!]: own } } : own);
}
