import type { Figure } from "./figures.ts";
import type { Machine } from "./machine.ts";

const WIDTH = 760;
const MARGIN = 16;
const LABELS = 240;
const NUMBERS = 90;
const BAR = 14;
const STEP = 18;
const GROUP = 30;
const HEAD = 60;

/** The card has a ground of its own, so that it can be read on any page; it follows the theme where it can. */
const STYLE = `
  text { font: 12px -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
  .title { font-size: 15px; font-weight: 600; }
  .case { font-weight: 600; }
  .note { fill: #59636e; }
  .card { fill: #ffffff; stroke: #d1d9e0; }
  .enoki { fill: #0969da; }
  .other { fill: #afb8c1; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .note { fill: #9198a1; }
    .card { fill: #0d1117; stroke: #3d444d; }
    .enoki { fill: #4493f8; }
    .other { fill: #565e67; }
  }
`;

/** Draws figures of one part as bars, in SVG. Each figure has a scale of its own, which begins at zero. */
export function chart(part: string, figures: readonly Figure[], machine: Machine): string {
  const drawn: string[] = [];
  let y = HEAD;
  for (const figure of figures) {
    const unit = figure.unit.endsWith("/s") ? figure.unit : `${figure.unit}, less is better`;
    drawn.push(text(MARGIN, y + 12, `${figure.name} (${unit})`, "case"));
    y += STEP;
    const most = Math.max(...sidesOf(figure).map(([, value]) => value));
    for (const [side, value] of sidesOf(figure)) {
      drawn.push(bar(y, side, value, most));
      y += STEP;
    }
    y += GROUP - STEP;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" role="img">
<title>${escaped(`Enoki, benchmark ${part}`)}</title>
<style>${STYLE}</style>
<rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${y - 1}" rx="6"/>
${text(MARGIN, 26, `Enoki: ${part}`, "title")}
${text(MARGIN, 46, whereAndWhen(machine), "note")}
${drawn.join("\n")}
</svg>
`;
}

/** Says in one line where and when something was measured. */
export function whereAndWhen({ date, cores, cpu, deno }: Machine): string {
  return `${date}, ${cores} ${cores === 1 ? "core" : "cores"} of ${cpu}, Deno ${deno}`;
}

function sidesOf({ enoki, bare, peers = {} }: Figure): readonly (readonly [string, number])[] {
  return [
    ["Enoki", enoki],
    ...(bare === undefined ? [] : [["bare", bare] as const]),
    ...Object.entries(peers),
  ];
}

function bar(y: number, side: string, value: number, most: number): string {
  const width = Math.max(1, (WIDTH - 2 * MARGIN - LABELS - NUMBERS) * value / (most || 1));
  const x = MARGIN + LABELS;
  return [
    text(MARGIN + 12, y + 11, side),
    `<rect class="${side === "Enoki" ? "enoki" : "other"}" x="${x}" y="${y}" width="${
      width.toFixed(1)
    }" height="${BAR}" rx="2"/>`,
    text(x + width + 6, y + 11, shown(value)),
  ].join("\n");
}

/** A number in three digits or more, with commas between thousands. */
function shown(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function text(x: number, y: number, content: string, kind?: string): string {
  const marked = kind === undefined ? "" : ` class="${kind}"`;
  return `<text${marked} x="${x.toFixed(1)}" y="${y}">${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
