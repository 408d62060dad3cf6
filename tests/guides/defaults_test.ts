/** The defaults and units that pages state are those of the code. */
import { deepStrictEqual, equal, ok } from "node:assert/strict";
import { PAGES, pageText } from "../fixtures/guide/pages.ts";
import { readSettings } from "../fixtures/guide/settings_readers.ts";
import { DEFAULT_LIMITS } from "../../runtime/pool/pool_options.ts";
import { SOURCES } from "../fixtures/source_tree.ts";

/** The rows of the table of all settings; undefined is the default of those that are not set. */
const ROWS = [
  ...pageText("runtime/config/settings.md").matchAll(/^\| `([\w.]+)` +\|([^|]*)\| (?:none|`(.*?)`) +\|/gm),
].map(([, key, unit, value]) => ({ key: key!, unit: unit!.trim(), value }));

/** Values that a reader leaves out, because their owner has the default: by reader, and by the key of its value. */
const OWNED: Readonly<Record<string, Readonly<Record<string, object>>>> = {
  runtimeSettings: {
    limits: { ...DEFAULT_LIMITS, heapLimit: documented("runtime/spawning/create_spawner.ts", "heapLimit") },
    modules: {
      allowHttp: false,
      ...documentedAll("runtime/module/fetch/fetcher.ts", ["timeout", "maxBytes", "maxTotalBytes"]),
    },
  },
  amqpSettings: {
    options: documentedAll("extensions/amqp/transport.ts", [
      "heartbeat",
      "retryStep",
      "retryLimit",
      "checkInterval",
      "consumerTimeout",
      "outcomeMemory",
    ]),
  },
};

/** What the comment of an option says that its default is. */
function documented(path: string, option: string): number {
  const comment = new RegExp(`@default \\{([\\d_]+)( MiB)?\\}[ *\\n]*/\\s*readonly ${option}\\?:`);
  const [, number, unit] = comment.exec(SOURCES.get(path)!.text) ?? [];
  ok(number, `${option} in ${path} has no default`);
  return Number(number.replaceAll("_", "")) * (unit === undefined ? 1 : 1024 ** 2);
}

function documentedAll(path: string, options: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(options.map((option) => [option, documented(path, option)]));
}

/** What a configuration means, with the defaults that owners have. */
function meaningOf(yaml: string): unknown {
  const { values } = readSettings(yaml);
  return Object.fromEntries(
    Object.entries(values).map(([reader, value]) => {
      const owned = Object.entries(OWNED[reader] ?? {}).map(([key, defaults]) => [
        key,
        { ...defaults, ...(value as Record<string, object>)[key] },
      ]);
      return [reader, owned.length === 0 ? value : { ...(value as object), ...Object.fromEntries(owned) }];
    }),
  );
}

Deno.test("the table of settings has each key that a configuration may have", () => {
  const rows = new Set(ROWS.map(({ key }) => key.split(".")[0]!));
  deepStrictEqual([...readSettings("").known].filter((key) => !rows.has(key)), []);
});

Deno.test("a setting that has its default from the table changes nothing", () => {
  const nothing = meaningOf("");
  for (const { key, value } of ROWS) {
    if (value === undefined) continue;
    const [section, inner] = key.split(".");
    const yaml = inner === undefined ? `${key}: ${value}` : `${section}: { ${inner}: ${value} }`;
    deepStrictEqual(meaningOf(yaml), nothing, yaml);
  }
});

Deno.test("what pages say in parentheses behind a setting is its default", () => {
  const units: Readonly<Record<string, number>> = { s: 1, minutes: 60, KiB: 1024, MiB: 1024 ** 2 };
  const wrong: string[] = [];
  let found = 0;
  for (const page of PAGES) {
    for (const { key, unit, value } of ROWS) {
      const stated = new RegExp(
        `\`${key.split(".").at(-1)}\` \\((\\d[\\d,.]*)(?: (s|minutes|KiB|MiB))?\\b`,
        "g",
      );
      for (const [text, number, suffix] of pageText(page).matchAll(stated)) {
        found++;
        const factor = unit === "MiB" ? 1 : units[suffix ?? "s"]!;
        if (Number(number!.replaceAll(",", "")) * factor !== Number(value)) wrong.push(`${page}: ${text}`);
      }
    }
  }
  deepStrictEqual(wrong, []);
  ok(found > 10, `only ${found} defaults were found`);
});

Deno.test("the table of threads agrees with the table of all settings", () => {
  const rows = [...pageText("runtime/pool/README.md").matchAll(/^\| `(\w+)` +\| `?([^|`]+?)`? +\|/gm)];
  for (const [, key, value] of rows) {
    const row = ROWS.find((row) => row.key === key);
    if (row !== undefined) equal(value!.replace(/ s$/, ""), row.value ?? "none", key);
  }
  ok(rows.length > 10);
});
