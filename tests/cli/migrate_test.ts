import { deepStrictEqual, match } from "node:assert/strict";
import { enoki } from "./command.ts";

const MIGRATIONS = new URL("../fixtures/migrations", import.meta.url).pathname;

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "enoki-migrate-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("enoki sql migrate applies, lists and takes back the migrations of a folder", () =>
  withFolder(async (folder) => {
    const migrate = (...words: readonly string[]) =>
      enoki([
        ...["sql", "migrate", "--folder", MIGRATIONS],
        ...["--define", `DB_URIS={"boxes": "sqlite:///${folder}/boxes.db"}`, "--service", "boxes", ...words],
      ]);
    deepStrictEqual(await migrate(), {
      status: 0,
      out: "Applied 2026_01_boxes\nApplied 2026_02_amounts\n",
      err: "",
    });
    deepStrictEqual(await migrate(), { status: 0, out: "", err: "All migrations are applied already\n" });
    deepStrictEqual(await migrate("down"), { status: 0, out: "Reverted 2026_02_amounts\n", err: "" });
    const { out } = await migrate("status");
    match(out, /^MIGRATION +APPLIED\n2026_01_boxes +\d{4}-\d\d-\d\dT\S+Z\n2026_02_amounts +no\n$/);
  }));

Deno.test("enoki sql migrate says what has failed, without a password", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/1.ts`, "export function up() { throw new Error('no room'); }\n");
    const uri = `sqlite:///${folder}/boxes.db`;
    const cases: readonly (readonly [words: readonly string[], status: number, err: RegExp])[] = [
      [["--uri", uri, "--folder", folder], 1, /^Cannot apply migration "1": no room\n$/],
      [
        ["--uri", uri, "--folder", `${folder}/none`],
        2,
        /^Cannot read the folder of migrations .*Name it by --folder\n$/,
      ],
      [
        ["--folder", folder],
        2,
        /^Cannot tell which database to migrate: .*Name one by --service or --uri\n$/,
      ],
      [
        ["--uri", "postgres://u:secret@127.0.0.1:1/d", "--folder", folder],
        3,
        /^Cannot reach database postgres:\/\/u:\*+@/,
      ],
      [["sideways"], 2, /allowed choices are up, status, down/],
    ];
    for (const [words, status, err] of cases) {
      const { err: said, ...rest } = await enoki(["sql", "migrate", ...words]);
      deepStrictEqual(rest, { status, out: "" }, said);
      match(said, err);
    }
  }));
