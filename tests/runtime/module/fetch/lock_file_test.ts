import assert from "node:assert/strict";
import {
  formatLockFile,
  type LockedModule,
  parseLockFile,
  readLockFile,
} from "../../../../runtime/module/fetch/lock_file.ts";
import { TestFolder } from "../../../fixtures/module_origin.ts";

const SHA256 = "f".repeat(64);

Deno.test("parseLockFile() reads what formatLockFile() writes, whatever the URLs are", () => {
  const modules = new Map<string, LockedModule>([
    ["https://b.example/", { sha256: SHA256, reading: { mediaType: "ts", charset: "utf-8" } }],
    ["https://a.example/", { sha256: SHA256, reading: undefined }],
    ["__proto__", { sha256: SHA256, reading: undefined }],
    ["toString", { sha256: SHA256, reading: { mediaType: "json", charset: "x-mac-cyrillic" } }],
  ]);
  const text = formatLockFile(modules);
  assert.deepEqual(new Map([...parseLockFile(text)!].toSorted()), new Map([...modules].toSorted()));
  assert.equal(formatLockFile(parseLockFile(text)!), text);
});

Deno.test("parseLockFile() takes nothing that is of another form", () => {
  const entry = { sha256: SHA256, type: "ts", charset: "utf-8" };
  for (
    const content of [
      ...[null, 1, "", [], {}, { version: 2 }, { version: 3, remote: {} }, { version: "1", remote: {} }],
      ...[null, [], "", 1, { a: null }, { a: 1 }, { a: [SHA256] }, { a: { ...entry, sha256: "f" } }]
        .map((remote) => ({ version: 2, remote })),
      ...["css", "__proto__", "toString", null, 0, ["ts"]].map((type) => ({
        version: 2,
        remote: { a: { ...entry, type } },
      })),
      ...["", " ", "a\nb", "a".repeat(41), null, 0].map((charset) => ({
        version: 2,
        remote: { a: { ...entry, charset } },
      })),
    ]
  ) assert.equal(parseLockFile(JSON.stringify(content)), undefined, JSON.stringify(content));
  assert.equal(parseLockFile('{"__proto__":{"version":1,"remote":{}}}'), undefined);
});

Deno.test("parseLockFile() takes no file that is nested deep, and leaves the prototypes alone", () => {
  const names = Object.getOwnPropertyNames(Object.prototype);
  for (const [open, close] of [["[", "]"], ['{"version":1,"remote":{"__proto__":', "}}"]] as const) {
    const times = Math.floor(1_000_000 / open.length);
    assert.equal(parseLockFile(open.repeat(times) + "1" + close.repeat(times)), undefined);
  }
  assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), names);
  assert.equal(parseLockFile(`{"version":1,"remote":{"__proto__":"${SHA256}"}}`)?.size, 1);
});

Deno.test("readLockFile() reads no file that is larger than any lock file, and no device", async () => {
  await using folder = new TestFolder();
  const path = folder.file("services.lock");
  assert.equal(await readLockFile(path), undefined);
  using file = await Deno.open(path, { write: true, create: true });
  await file.truncate(16 * 1024 * 1024 + 1);
  const expected = {
    name: "ServiceLoadError",
    message: /^Cannot use lock file .*: it has more than 16777216 /,
  };
  await assert.rejects(readLockFile(path), expected);
  await assert.rejects(readLockFile("/dev/zero"), /Cannot use lock file \/dev\/zero: it is no file$/);
});
