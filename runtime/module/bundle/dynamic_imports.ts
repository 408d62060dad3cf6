import { SourceMap, type TextPosition } from "./source_map.ts";

/** An `import()` in the source of a module. */
export interface DynamicImport extends TextPosition {
  /** URL of the module. */
  readonly source: string;
}

/**
 * Guards each `import()` whose specifier only the running program knows. Such an import fails with an error
 * that gives the reason, unless a bundle can import the specifier.
 *
 * The name that replaces `import` is as long as the word `import`, so the source map stays correct.
 */
export function guardDynamicImports(code: string, map: string, imports: readonly DynamicImport[]): string {
  if (imports.length === 0) return code;
  const sourceMap = new SourceMap(map);
  const name = unusedName(code);
  const lines = code.split("\n");
  for (const { source, ...position } of imports) {
    const found = sourceMap.generated(source, position);
    const line = found && lines[found.line - 1];
    if (found === undefined || line === undefined) continue;
    const start = found.column - 1;
    if (!line.startsWith("import(", start)) continue;
    lines[found.line - 1] = `${line.slice(0, start)}${name}${line.slice(start + name.length)}`;
  }
  return `${lines.join("\n")}\n${guard(name)}\n`;
}

/** Returns a name that the code does not contain. It has six characters, as `import` has. */
function unusedName(code: string): string {
  for (let count = 0;; count++) {
    const name = `$i${count.toString(36).padStart(4, "0")}`;
    if (!code.includes(name)) return name;
  }
}

function guard(name: string): string {
  return `async function ${name}(specifier, options) {
  if (/^(?:data|npm|jsr|node|https?|file):/.test(specifier)) return await import(specifier, options);
  throw new TypeError("Cannot import \\"" + specifier + "\\": the service runs as a bundle, which holds only " +
    "modules that import() names by a literal. Write a literal, or an absolute URL");
}`;
}
