/** The documentation: its front page as a reader follows it, and the links between its pages. */
import { deepStrictEqual, ok } from "node:assert/strict";
import { existsSync } from "node:fs";
import { posix } from "node:path";
import { testGuide } from "./fixtures/guide.ts";
import { ROOT } from "./fixtures/guide/folder.ts";
import { withoutBlocks } from "./fixtures/guide/blocks.ts";
import { PAGES, pageText } from "./fixtures/guide/pages.ts";

testGuide({ page: "README.md" });

Deno.test("the front page can be read in one sitting", () => {
  ok(pageText("README.md").split("\n").length <= 300);
});

/** The anchors that GitHub gives to the headings of a page. */
function anchorsOf(page: string): ReadonlySet<string> {
  return new Set(
    [...withoutBlocks(pageText(page)).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
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
