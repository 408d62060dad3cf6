/** How source files look: their size, their names, their syntax. */
import { deepStrictEqual } from "node:assert/strict";
import { type SourceFile, SOURCES } from "./fixtures/source_tree.ts";

const HARD_LIMIT = 400;

const FORBIDDEN_NAMES =
  /(?:^|_)(?:utils?|helpers?|types|common|constants|base|misc|shared|index|impl|manager)\.ts$/;

/** Sentences for what is wrong; none is right. */
function complaints(judge: (file: SourceFile) => Iterable<string>): string[] {
  return [...SOURCES.values()].flatMap((file) =>
    [...judge(file)].map((complaint) => `${file.path} ${complaint}`)
  );
}

Deno.test("files stay within the hard limit of lines", () => {
  deepStrictEqual(
    complaints(({ text }) => {
      const lines = text.split("\n").length - 1;
      return lines > HARD_LIMIT ? [`has ${lines} lines, more than ${HARD_LIMIT}`] : [];
    }),
    [],
  );
});

Deno.test("files are named in snake_case after a concept", () => {
  deepStrictEqual(
    complaints(({ path }) => {
      const name = path.slice(path.lastIndexOf("/") + 1);
      if (!/^[a-z][a-z0-9]*(?:_[a-z0-9]+)*\.ts$/.test(name)) return ["is not named in snake_case"];
      return FORBIDDEN_NAMES.test(name) ? ["is named after no concept"] : [];
    }),
    [],
  );
});

Deno.test("all syntax is erasable: no enum, no namespace, no parameter property", () => {
  deepStrictEqual(
    complaints((file) => {
      try {
        return file.program.body.length >= 0 ? [] : [];
      } catch (error) {
        return [`does not strip: ${(error as Error).message}`];
      }
    }),
    [],
  );
});

Deno.test("nothing is called that the oldest Deno has not", () => {
  deepStrictEqual(
    complaints(({ text }) =>
      [...text.matchAll(/\.(?:to|from)(?:Base64|Hex)\(/g)].map(([found]) => `has "${found}"`)
    ),
    [],
  );
});

Deno.test("members are private by # and not by a keyword", () => {
  deepStrictEqual(
    complaints(({ text }) =>
      [...text.matchAll(
        /^\s*(?:private|protected|public)\s+(?:static|readonly|async|get|set|[\w#]+\s*[(:=;?!])/gm,
      )]
        .map(([found]) => `has "${found.trim()}"`)
    ),
    [],
  );
});

Deno.test("any has a line before it that says why", () => {
  deepStrictEqual(
    complaints(({ text }) => {
      const lines = text.split("\n");
      return lines.flatMap((line, index) =>
        isComment(line) || !/(?:[:<,|&(]|\bas|=>|\bextends)\s*any\b(?!\s*[:'"`])/.test(line) ||
          /deno-lint-ignore no-explicit-any -- \w/.test(lines[index - 1] ?? "")
          ? []
          : [`has an unexplained any in line ${index + 1}`]
      );
    }),
    [],
  );
});

Deno.test("lint exemptions say why", () => {
  deepStrictEqual(
    complaints(({ text }) =>
      text.split("\n").flatMap((line, index) =>
        line.includes("deno-lint-ignore") && !/deno-lint-ignore(?!-file)[ a-z-]* -- \w/.test(line)
          ? [`exempts without a reason in line ${index + 1}`]
          : []
      )
    ),
    [],
  );
});

Deno.test("no work is left for later in a comment", () => {
  deepStrictEqual(
    complaints(({ text }) =>
      [...text.matchAll(/\b(?:TODO|FIXME|XXX|HACK)\b/g)].map(([word]) => `says ${word}`)
    ),
    [],
  );
});

function isComment(line: string): boolean {
  return /^\s*(?:\/\/|\/?\*)/.test(line);
}
