import assert from "node:assert/strict";
import { FileWatch } from "../../../runtime/serving/file_watch.ts";

/** Milliseconds since the epoch, later than any file of a test was modified before it was watched. */
const LATER = Date.now() + 1e9;

/** Milliseconds since the epoch, earlier than any file of a test is modified, whatever the file system's clock lags. */
const EARLIER = Date.now() - 10_000;

/** Runs a test with a folder, and the signal that ends its waits. */
async function inFolder(
  test: (watch: FileWatch, folder: string, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "enoki-watch-" });
  const controller = new AbortController();
  using watch = new FileWatch({ settleTime: 20 });
  try {
    await test(watch, folder, controller.signal);
  } finally {
    controller.abort();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("FileWatch.changes() tells of a file that is written, and of no other", () =>
  inFolder(async (watch, folder, signal) => {
    const [file, other] = [`${folder}/a.ts`, `${folder}/b.ts`];
    await Deno.writeTextFile(file, "1");
    await watch.follow([file], LATER);
    const changes = watch.changes({ signal });
    await Deno.writeTextFile(other, "1");
    await Deno.writeTextFile(file, "2");
    assert.deepEqual(await changes, new Set([file]));
  }));

Deno.test("FileWatch.changes() tells of a file that another is renamed to", () =>
  inFolder(async (watch, folder, signal) => {
    const file = `${folder}/a.ts`;
    await Deno.writeTextFile(file, "1");
    await watch.follow([file], LATER);
    for (const text of ["2", "3"]) {
      const changes = watch.changes({ signal });
      await Deno.writeTextFile(`${file}.new`, text);
      await Deno.rename(`${file}.new`, file);
      assert.deepEqual(await changes, new Set([file]));
    }
  }));

Deno.test("FileWatch.changes() tells of a file that goes and comes", () =>
  inFolder(async (watch, folder, signal) => {
    const file = `${folder}/a.ts`;
    await watch.follow([file], LATER);
    const created = watch.changes({ signal });
    await Deno.writeTextFile(file, "1");
    assert.deepEqual(await created, new Set([file]));
    const removed = watch.changes({ signal });
    await Deno.remove(file);
    assert.deepEqual(await removed, new Set([file]));
  }));

Deno.test("FileWatch.changes() tells at once of what is saved together", () =>
  inFolder(async (watch, folder, signal) => {
    const files = ["a", "b", "c"].map((name) => `${folder}/${name}.ts`);
    await watch.follow(files, LATER);
    const changes = watch.changes({ signal });
    await Promise.all(files.map((file) => Deno.writeTextFile(file, "1")));
    assert.deepEqual(await changes, new Set(files));
  }));

Deno.test("FileWatch.changes() tells of what changed before it was called", () =>
  inFolder(async (watch, folder, signal) => {
    const file = `${folder}/a.ts`;
    await watch.follow([file], LATER);
    await Deno.writeTextFile(file, "1");
    assert.deepEqual(await watch.changes({ signal }), new Set([file]));
  }));

Deno.test("FileWatch.follow() finds what was modified while nobody watched", () =>
  inFolder(async (watch, folder, signal) => {
    const file = `${folder}/a.ts`;
    await Deno.writeTextFile(file, "1");
    await watch.follow([file], EARLIER);
    assert.deepEqual(await watch.changes({ signal }), new Set([file]));
  }));

Deno.test("FileWatch.follow() forgets the files that it is not given again", () =>
  inFolder(async (watch, folder, signal) => {
    const [file, other] = [`${folder}/a.ts`, `${folder}/b.ts`];
    await watch.follow([file], LATER);
    await watch.follow([other], LATER);
    const changes = watch.changes({ signal });
    await Deno.writeTextFile(file, "1");
    await Deno.writeTextFile(other, "1");
    assert.deepEqual(await changes, new Set([other]));
  }));

Deno.test("FileWatch.changes() tells of a file behind a symbolic link, as it was given", () =>
  inFolder(async (watch, folder, signal) => {
    await Deno.mkdir(`${folder}/real`);
    await Deno.writeTextFile(`${folder}/real/a.ts`, "1");
    await Deno.symlink(`${folder}/real/a.ts`, `${folder}/a.ts`);
    await watch.follow([`${folder}/a.ts`], LATER);
    const changes = watch.changes({ signal });
    await Deno.writeTextFile(`${folder}/real/a.ts`, "2");
    assert.deepEqual(await changes, new Set([`${folder}/a.ts`]));
  }));

Deno.test("FileWatch.changes() rejects when its signal aborts", () =>
  inFolder(async (watch, folder) => {
    await watch.follow([`${folder}/a.ts`], LATER);
    const reason = new Error("enough");
    const controller = new AbortController();
    const changes = watch.changes({ signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(changes, reason);
  }));
