/** The documentation: its front page as a reader follows it, and the links between its pages. */
import { deepStrictEqual, ok } from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { testGuide } from "./fixtures/guide.ts";

const ROOT = new URL("../", import.meta.url);

testGuide({ page: "README.md" });

Deno.test("the front page can be read in one sitting", () => {
  ok(pageText("README.md").split("\n").length <= 300);
});

/** The paths of all pages. */
const PAGES = ["README.md", ...["runtime", "extensions", "examples"].flatMap(pagesIn)];

function pagesIn(folder: string): string[] {
  return readdirSync(new URL(folder, ROOT), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => posix.join(folder, path));
}

function pageText(page: string): string {
  return readFileSync(new URL(page, ROOT), "utf8");
}

/** The anchors that GitHub gives to the headings of a page. */
function anchorsOf(page: string): ReadonlySet<string> {
  const prose = pageText(page).replaceAll(/^\s*```.*?^\s*```$/gms, "");
  return new Set(
    [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
      heading!.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
    ),
  );
}

for (const page of PAGES) {
  Deno.test(`the links of ${page} lead somewhere`, () => {
    const broken = [...pageText(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!).filter(
      (target) => {
        if (/^https?:/.test(target)) return false;
        const [path = "", anchor] = target.split("#");
        const file = path === "" ? page : posix.join(posix.dirname(page), path);
        return !existsSync(new URL(file, ROOT)) || (anchor !== undefined && !anchorsOf(file).has(anchor));
      },
    );
    deepStrictEqual(broken, []);
  });
}

Deno.test("each page can be found from the front page", () => {
  const found = new Set(["README.md"]);
  for (const page of found) {
    for (const [, target] of pageText(page).matchAll(/\]\(([^)\s#]+)/g)) {
      const file = posix.join(posix.dirname(page), target!);
      if (PAGES.includes(file)) found.add(file);
    }
  }
  deepStrictEqual(PAGES.filter((page) => !found.has(page)), []);
});
