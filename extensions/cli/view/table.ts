import { escapeControls } from "../../../runtime/log/terminal_text.ts";

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** Whether its texts end at the same place, as numbers do. @default {false} */
  readonly right?: boolean;
  /** Whether its texts may be cut where the table is too wide. @default {false} */
  readonly elastic?: boolean;
  /** Characters that each of its texts keeps at least if it is elastic. @default {8} */
  readonly shortest?: number;
  /** Where the table is too wide, it can do without it; the column with the lowest number goes first. @default {it stays} */
  readonly optional?: number;
}

/** Options of {@linkcode formatRows}. */
export interface TableOptions {
  /** Characters that a line may have. @default {no limit} */
  readonly width?: number;
  /** Marks the line of the titles. @default {it stays as it is} */
  readonly mark?: (titles: string) => string;
}

/** Characters that a text keeps at least if it is cut. */
const SHORTEST = 8;

/**
 * Formats rows as lines with a line of titles above, each without white space at its end.
 *
 * Others say what is in the rows, so control characters are escaped. Where the table is too wide, elastic columns are
 * cut, the widest of them most. If that is not enough, optional columns are left out, and in the end the lines are cut.
 */
export function formatRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { width = Infinity, mark = (titles) => titles }: TableOptions = {},
): string {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ text }) => escapeControls(text(row)))),
  ];
  const widths = columns.map((_, column) =>
    cells.reduce((most, row) => Math.max(most, row[column]!.length), 0)
  );
  if (!shrink(widths, columns, width)) {
    const first = Math.min(...columns.map(({ optional = Infinity }) => optional));
    const left = columns.filter(({ optional }) => optional !== first);
    if (first < Infinity) return formatRows(rows, left, { width, mark });
  }
  const lines = cells.map((row) => {
    const padded = row.map((text, column) => {
      const room = widths[column]!;
      return columns[column]!.right ? cut(text, room).padStart(room) : cut(text, room).padEnd(room);
    });
    return cut(padded.join(GAP).trimEnd(), width);
  });
  return [mark(lines[0]!), ...lines.slice(1)].map((line) => `${line}\n`).join("");
}

const GAP = "  ";

/** Makes the widest elastic columns narrower. Returns whether the table fits then. */
function shrink(
  widths: number[],
  columns: readonly { readonly elastic?: boolean; readonly shortest?: number }[],
  width: number,
): boolean {
  const total = widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1);
  for (let excess = total - width; excess > 0; excess--) {
    let widest = -1;
    for (const [column, { elastic, shortest = SHORTEST }] of columns.entries()) {
      if (!elastic || widths[column]! <= shortest) continue;
      if (widest === -1 || widths[column]! > widths[widest]!) widest = column;
    }
    if (widest === -1) return false;
    widths[widest]!--;
  }
  return true;
}

/** Cuts a text, with an ellipsis in the place of what is missing. */
function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, Math.max(0, length - 1))}…`;
}
