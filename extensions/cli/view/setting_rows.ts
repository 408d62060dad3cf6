/** What `enoki config --all` shows: each setting with its value, its default and where the value is from. */
import type { Config } from "../../../runtime/config/file.ts";
import type { Setting } from "../../../runtime/config/section.ts";
import { originOf } from "../../../runtime/config/place.ts";
import { isSecretKey, MASK, maskSecrets } from "../../../runtime/log/secrets.ts";
import { maskRandomTexts } from "../../../runtime/log/secret_shapes.ts";
import { isRecord, type Plain } from "../../../runtime/message/plain.ts";
import type { OwnedSettings } from "../../setting_list.ts";
import { formatRows } from "./table.ts";

/** One setting as it is. */
export interface SettingRow {
  /** Name of the owner; `services` for keys that only services know. */
  readonly section: string;
  /** Path of the key. */
  readonly key: string;
  /** Null if it has none. Secrets are masked. */
  readonly value: Plain;
  /** The value that counts if none is set; null if there is none. */
  readonly default: Plain;
  /** Such as `flag`, `--define`, `enoki.yaml:7`, `environment` or `default`; null if there is no value. */
  readonly origin: string | null;
  readonly about?: string;
}

/** Lists all settings, known ones by owner and path, and then the keys that only services know. */
export function settingRows(config: Config, owners: readonly OwnedSettings[]): readonly SettingRow[] {
  const known = owners.flatMap(({ owner, table }) =>
    Object.entries(table)
      .flatMap(([path, setting]) =>
        pathsIn(config, path.split(".")).map((keys) => rowOf(config, owner, keys, setting))
      )
      .sort((one, other) => one.key < other.key ? -1 : 1)
  );
  const names = new Set(owners.flatMap(({ table }) => Object.keys(table).map((path) => path.split(".")[0]!)));
  const others = Object.keys(config).filter((key) => !names.has(key)).sort();
  return [...known, ...others.map((key) => rowOf(config, "services", [key], undefined))];
}

/** Puts the names of the configuration in the place of `*`. A path of which it has none stays as it is. */
function pathsIn(config: Plain, path: readonly string[]): readonly (readonly string[])[] {
  const star = path.indexOf("*");
  if (star === -1) return [path];
  const above = valueOf(config, path.slice(0, star));
  const names = isRecord(above) ? Object.keys(above) : [];
  if (names.length === 0) return [path];
  return names.flatMap((name) => pathsIn(config, [...path.slice(0, star), name, ...path.slice(star + 1)]));
}

function rowOf(
  config: Config,
  section: string,
  keys: readonly string[],
  setting: Setting | undefined,
): SettingRow {
  const value = valueOf(config, keys);
  const fallback = setting?.default ?? null;
  const isSet = value !== null;
  return {
    section,
    key: keys.join("."),
    value: isSet ? masked(keys, value) : fallback,
    default: fallback,
    origin: isSet ? originOf(config, keys) : fallback === null ? null : "default",
    ...(setting && { about: setting.about }),
  };
}

function masked(keys: readonly string[], value: Plain): Plain {
  return keys.some(isSecretKey) ? MASK : maskRandomTexts(maskSecrets(value));
}

/** The value at a path; null if there is none. What is below a value that is no mapping is not there. */
function valueOf(config: Plain, keys: readonly string[]): Plain {
  let value = config;
  for (const key of keys) value = (isRecord(value) && Object.hasOwn(value, key) ? value[key] : null) ?? null;
  return value;
}

/** Writes the rows as a table. */
export function settingText(rows: readonly SettingRow[], width: number): string {
  return formatRows(rows, [
    { title: "SECTION", text: ({ section }) => section },
    { title: "KEY", text: ({ key }) => key, elastic: true, shortest: 24 },
    { title: "VALUE", text: ({ value }) => shown(value), elastic: true, shortest: 10 },
    { title: "DEFAULT", text: (row) => shown(row.default), elastic: true },
    { title: "FROM", text: ({ origin }) => origin ?? "", elastic: true },
  ], { width });
}

function shown(value: Plain): string {
  if (value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
