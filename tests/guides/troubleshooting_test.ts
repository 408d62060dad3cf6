/** The page about trouble: whoever searches it for a message of Enoki finds what to do. */
import { deepStrictEqual } from "node:assert/strict";
import { pageText } from "../fixtures/guide/pages.ts";
import { SOURCES } from "../fixtures/source_tree.ts";

const PAGE = pageText("extensions/cli/troubleshooting.md");

/** The beginnings of messages that the page explains: `Cannot use …` explains all that begin so. */
const EXPLAINED = [...PAGE.matchAll(/`([A-Z][^`]*?) ?…`/g)].map(([, beginning]) => beginning!);

/** What the messages of the sources begin with, up to the first name in them. */
const THROWN = beginnings(/["`](Cannot (?:[^"`:$]|\$(?!\{))*)/g);

/** What the lines of the log begin with that are warnings or errors. */
const LOGGED = beginnings(/\.(?:warning|error)\(\s*["`]([A-Z](?:[^"`:$]|\$(?!\{))*)/g);

function beginnings(pattern: RegExp): ReadonlySet<string> {
  const texts = [...SOURCES.values()].filter(({ path }) => !path.startsWith("runtime/message/conformance/"))
    .flatMap(({ text }) => [...text.matchAll(pattern)]);
  // A message of one word begins with a word that differs, such as an action.
  return new Set(
    texts.map(([, text]) => text!.trim()).filter((text) => text !== "Cannot" && !text.includes("<")),
  );
}

/** Whether the page explains a message, or all the messages that the text begins. */
function isExplained(text: string): boolean {
  return EXPLAINED.some((beginning) => text.startsWith(beginning) || beginning.startsWith(`${text} `));
}

Deno.test("the page explains each message that says what cannot be done", () => {
  const missing = [...THROWN].filter((text) => !isExplained(text));
  deepStrictEqual(missing, []);
});

Deno.test("the page explains each warning and each error of the log", () => {
  const missing = [...LOGGED].filter((text) => !isExplained(text));
  deepStrictEqual(missing, []);
});

Deno.test("the page explains no message that nobody prints", () => {
  const texts = [...THROWN, ...LOGGED];
  const stale = EXPLAINED.filter((beginning) => !texts.some((text) => text.startsWith(beginning)));
  deepStrictEqual(stale, []);
});

Deno.test("the page has the class of each error that callers and authors may meet", () => {
  const classes = [...SOURCES.values()].flatMap(({ text }) => [
    ...text.matchAll(/^export class (\w+Error) extends/gm),
  ]);
  const missing = classes.map(([, name]) => name!).filter((name) => !PAGE.includes(`\`${name}\``));
  deepStrictEqual(missing, []);
});
