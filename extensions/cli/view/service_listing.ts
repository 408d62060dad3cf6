import { isRecord } from "../../../runtime/message/plain.ts";
import { escapeControls } from "../../../runtime/log/terminal_text.ts";

/** An entrypoint, of a module or of a service that runs. */
export interface ListedEntrypoint {
  readonly method: string;
  readonly kind: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** Lists the entrypoints of a service as rows: kind, method with its parameters, options. */
export function entrypointRows(
  { entrypoints }: { readonly entrypoints: readonly ListedEntrypoint[] },
): readonly (readonly string[])[] {
  return entrypoints.map((entry) => [entry.kind, signature(entry), describeOptions(entry)]);
}

/**
 * Formats rows as lines with aligned columns, and without white space at the end. A service says what is in
 * them, so control characters are escaped.
 */
export function alignColumns(cells: readonly (readonly string[])[], indent: string): string {
  const rows = cells.map((row) => row.map(escapeControls));
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, text] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, text.length);
  }
  return rows
    .map((row) => indent + row.map((text, column) => text.padEnd(widths[column]!)).join("  ").trimEnd())
    .join("\n");
}

function signature({ method, options: { params } }: ListedEntrypoint): string {
  if (Array.isArray(params)) return `${method}(${params.join(", ")})`;
  return isRecord(params) && params["kwargs"] === true ? `${method}(**kwargs)` : method;
}

function describeOptions({ options }: ListedEntrypoint): string {
  return Object.entries(options)
    .filter(([name]) => name !== "params" && name !== "topology")
    .map(([name, value]) =>
      name === "unnamedQueue" ? "queue=(one of each instance)" : `${name}=${JSON.stringify(value)}`
    )
    .join(" ");
}
