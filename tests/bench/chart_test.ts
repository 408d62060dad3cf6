import { deepStrictEqual, match, ok } from "node:assert/strict";
import { chart } from "./chart.ts";
import type { Figure } from "./figures.ts";

const MACHINE = { cores: 2, cpu: "a CPU <fast> & cheap", deno: "2.9.6", date: "2024-05-31" };

const FIGURES: readonly Figure[] = [
  {
    name: "number",
    unit: "requests/s",
    enoki: 20_000,
    bare: 40_000,
    ratio: 0.5,
    peers: { "R&D <1>": 10_000 },
  },
  { name: "number, p99", unit: "ms", enoki: 2.5 },
];

const SVG = chart("http", FIGURES, MACHINE);

/** The texts of the elements `text`, as a reader sees them. */
function textsIn(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) =>
    text!.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&")
  );
}

/** What is not well-formed XML: tags that do not close each other, and signs that are not escaped. */
function faultsIn(xml: string): string[] {
  const open: string[] = [];
  const faults: string[] = [];
  for (const [tag, close, name, self] of xml.matchAll(/<(\/?)([a-z]+)(?:\s+[\w:-]+="[^"<&]*")*\s*(\/?)>/g)) {
    if (close === "/") {
      if (open.pop() !== name) faults.push(tag);
    } else if (self === "") open.push(name!);
  }
  const rest = xml.replaceAll(/<\/?[a-z]+(?:\s+[\w:-]+="[^"<&]*")*\s*\/?>|&(?:lt|gt|amp);/g, "");
  return [...faults, ...open, ...rest.match(/[<&]/g) ?? []];
}

Deno.test("a chart is well-formed, whatever signs are in the names", () => {
  deepStrictEqual(faultsIn(SVG), []);
  deepStrictEqual(faultsIn("<a><b></a>R&D"), ["</a>", "a", "&"]);
});

Deno.test("a chart names the part, the machine, all sides and their numbers", () => {
  deepStrictEqual(textsIn(SVG), [
    "Enoki: http",
    "2024-05-31, 2 cores of a CPU <fast> & cheap, Deno 2.9.6",
    "number (requests/s)",
    "Enoki",
    "20,000",
    "bare",
    "40,000",
    "R&D <1>",
    "10,000",
    "number, p99 (ms, less is better)",
    "Enoki",
    "2.50",
  ]);
});

Deno.test("bars are as long as their numbers, on a scale of each figure", () => {
  const widths = [...SVG.matchAll(/class="(?:enoki|other)" x="\d+" y="\d+" width="([\d.]+)"/g)].map((
    [, width],
  ) => Number(width));
  const most = Math.max(...widths);
  deepStrictEqual(widths.map((width) => (width / most).toFixed(2)), ["0.50", "1.00", "0.25", "1.00"]);
});

Deno.test("a chart has colours for a dark page, and its own ground for any other", () => {
  match(SVG, /@media \(prefers-color-scheme: dark\)/);
  ok(SVG.includes('<rect class="card"'));
});
