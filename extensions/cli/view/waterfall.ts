/**
 * The calls of a trace as a waterfall.
 *
 * The clocks of two machines differ, often by more than a call takes. What is certain is that a call came after its
 * parent, and that the answer to an RPC call came before its parent ended, if it fits. So a call is drawn within these
 * bounds, and all that it led to moves with it. The offsets of calls on one machine are exact.
 */
import type { TracedCall } from "../../control/traced_calls.ts";
import { formatDuration, shortId } from "./instance_table.ts";
import { type Column, formatRows, type TableOptions } from "./table.ts";

/** A call at its place in the waterfall. */
export interface PlacedCall {
  readonly call: TracedCall;
  /** Number of its ancestors that are known. */
  readonly depth: number;
  /** Milliseconds from the beginning of the trace, as far as the clocks tell. */
  readonly start: number;
  /** Whether a call of the same handler with the same parent had failed before. */
  readonly again: boolean;
}

/** Orders the calls of a trace: each after its parent, then as they came. A call whose parent is unknown has depth 0. */
export function placeCalls(calls: readonly TracedCall[]): readonly PlacedCall[] {
  const ordered = calls.toSorted((a, b) => a.at - b.at);
  const spans = new Set(ordered.map(({ span }) => span));
  const children = Map.groupBy(ordered, ({ parent }) => parent ?? "");
  const isRoot = ({ span, parent }: TracedCall) =>
    parent === undefined || parent === span || !spans.has(parent);
  const roots = ordered.filter(isRoot);
  const begun = Math.min(...roots.map(({ at }) => at));
  const placed: PlacedCall[] = [];
  const seen = new Set<TracedCall>();
  // Of calls that name each other as their parents, none is a root. So the others come at the end.
  for (const root of [...roots, ...ordered]) {
    const open = [{ call: root, depth: 0, shift: 0 }];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { call, depth, shift } = next;
      if (seen.has(call)) continue;
      seen.add(call);
      placed.push({ call, depth, start: call.at + shift - begun, again: hasFailedBefore(call, children) });
      const below = children.get(call.span) ?? [];
      open.push(
        ...below.map((child) => ({ call: child, depth: depth + 1, shift: shiftOf(child, call, shift) }))
          .reverse(),
      );
    }
  }
  return placed;
}

/** Milliseconds by which a call is moved, so that it is where it must have been. */
function shiftOf(call: TracedCall, parent: TracedCall, shift: number): number {
  const first = parent.at + shift;
  const isElsewhere = call.host !== parent.host;
  const isWithin = isElsewhere && call.kind === "rpc" && call.took <= parent.took;
  const last = isWithin ? first + parent.took - call.took : Infinity;
  const from = isElsewhere ? call.at : call.at + shift;
  return Math.max(first, Math.min(from, last)) - call.at;
}

function hasFailedBefore(
  { at, service, method, kind, parent = "" }: TracedCall,
  children: ReadonlyMap<string, readonly TracedCall[]>,
): boolean {
  return (children.get(parent) ?? []).some((other) =>
    other.at < at && other.outcome === "failed" && other.service === service && other.method === method &&
    other.kind === kind
  );
}

/** Options of {@linkcode formatWaterfall}. */
export interface WaterfallOptions extends TableOptions {
  /** Marks the line of a call that failed. @default {it stays as it is} */
  readonly markFailed?: (line: string) => string;
}

/** Characters of a bar in lines of a width. */
function barWidth(width: number): number {
  return Math.max(8, Math.min(40, Math.floor(width / 4)));
}

/** Formats calls as a waterfall, each in a line. */
export function formatWaterfall(
  placed: readonly PlacedCall[],
  { markFailed = (line) => line, ...options }: WaterfallOptions = {},
): string {
  const end = Math.max(...placed.map(({ start, call }) => start + call.took));
  const bar = barWidth(options.width ?? 100);
  const columns: readonly Column<PlacedCall>[] = [
    { title: "CALL", text: callText, elastic: true, shortest: 40 },
    { title: "INSTANCE", text: ({ call }) => shortId(call.instance), optional: 2 },
    { title: "THREAD", text: ({ call }) => call.thread ?? "-", optional: 1 },
    { title: "START", text: ({ start }) => formatDuration(start), right: true },
    { title: "", text: ({ start, call }) => barText(start, call, end, bar) },
    { title: "TOOK", text: ({ call }) => formatDuration(call.took), right: true },
    { title: "WAITED", text: ({ call }) => formatDuration(call.waited), right: true, optional: 3 },
    { title: "OUTCOME", text: ({ call: { outcome, error } }) => error ?? outcome, elastic: true },
  ];
  const [titles, ...lines] = formatRows(placed, columns, options).trimEnd().split("\n");
  const marked = lines.map((line, row) => placed[row]!.call.outcome === "failed" ? markFailed(line) : line);
  return [titles, ...marked].map((line) => `${line}\n`).join("");
}

/** Most levels that are indented. */
const DEEPEST = 20;

function callText({ call: { kind, service, method }, depth, again }: PlacedCall): string {
  return `${"  ".repeat(Math.min(depth, DEEPEST))}${kind} ${service}.${method}${again ? " (again)" : ""}`;
}

/** Draws when a call waited (light) and ran (dark). A call that is too short for that has a narrow line. */
function barText(start: number, { took, waited }: TracedCall, end: number, width: number): string {
  const place = (time: number) => Math.round((Math.max(0, time) / Math.max(end, Number.EPSILON)) * width);
  const from = Math.min(place(start), width - 1);
  const [began, ended] = [Math.max(from, place(start + waited)), Math.max(from, place(start + took))];
  const [light, dark] = [Math.min(began, ended) - from, Math.max(0, ended - began)];
  const isShort = dark === 0 && (light === 0 || waited < took / 2);
  return `${" ".repeat(from)}${isShort ? "▏" : "░".repeat(light) + "█".repeat(dark)}`.padEnd(width);
}
