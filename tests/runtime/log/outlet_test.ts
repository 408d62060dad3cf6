import { deepStrictEqual, equal, ok, throws } from "node:assert/strict";
import { Outlet } from "../../../runtime/log/outlet.ts";

/** A stream that takes only so many bytes, or fails. */
class Stream {
  room = Infinity;
  error: Error | undefined;
  text = "";
  writes = 0;
  readonly dropped: number[] = [];

  readonly write = (bytes: Uint8Array): number => {
    if (this.error !== undefined) throw this.error;
    if (this.room === 0) throw new Deno.errors.WouldBlock("full");
    const taken = bytes.subarray(0, this.room);
    this.writes++;
    this.room -= taken.length;
    this.text += new TextDecoder().decode(taken);
    return taken.length;
  };

  outlet(limit?: number): Outlet {
    return new Outlet({
      write: this.write,
      onDropped: (count) => this.dropped.push(count),
      ...(limit !== undefined && { limit }),
    });
  }
}

Deno.test("Outlet keeps what a full stream does not take, and writes it in order, each text whole", async () => {
  const stream = new Stream();
  const outlet = stream.outlet();
  stream.room = 4;
  outlet.write("one\n");
  outlet.write("two\n");
  outlet.write("three\n");
  equal(stream.text, "one\n");
  equal(outlet.isBehind, true);
  stream.room = 2;
  outlet.write("four\n");
  equal(stream.text, "one\ntw");
  stream.room = Infinity;
  await outlet.settled(1_000);
  equal(stream.text, "one\ntwo\nthree\nfour\n");
  deepStrictEqual(stream.dropped, []);
});

Deno.test("Outlet drops what would go beyond its limit, and says how much once it can write again", () => {
  const stream = new Stream();
  const outlet = stream.outlet(8);
  stream.room = 0;
  for (const text of ["one\n", "two\n", "six\n", "ten\n"]) outlet.write(text);
  deepStrictEqual(stream.dropped, []);
  stream.room = Infinity;
  outlet.write("end\n");
  equal(stream.text, "one\ntwo\nend\n");
  deepStrictEqual(stream.dropped, [2]);
});

Deno.test("Outlet writes by itself what waits, once the reader goes on", async () => {
  const stream = new Stream();
  const written = Promise.withResolvers<void>();
  const outlet = new Outlet({
    write: (bytes) => {
      const count = stream.write(bytes);
      if (stream.text.endsWith("two\n")) written.resolve();
      return count;
    },
    onDropped: () => {},
  });
  stream.room = 4;
  outlet.write("one\ntwo\n");
  stream.room = Infinity;
  // The outlet's own timer keeps nothing alive, so the test does.
  const alive = setInterval(() => {}, 1_000);
  await written.promise;
  clearInterval(alive);
  equal(stream.text, "one\ntwo\n");
});

for (const [what, name] of [["full disk", "Error"], ["reader that is gone", "BrokenPipe"]] as const) {
  Deno.test(`Outlet survives a ${what}, and counts what is lost`, () => {
    const stream = new Stream();
    const outlet = stream.outlet();
    stream.error = Object.assign(new Error(what), { name });
    outlet.write("one\n");
    outlet.write("two\n");
    stream.error = undefined;
    stream.dropped.length = 0;
    outlet.write("three\n");
    equal(stream.text, "three\n");
    equal(outlet.isBehind, false);
  });
}

Deno.test("Outlet.settled() does not wait for a reader that stands still", async () => {
  const stream = new Stream();
  const outlet = stream.outlet();
  stream.room = 0;
  outlet.write("one\n");
  await outlet.settled(20);
  equal(outlet.isBehind, true);
  stream.room = Infinity;
  await outlet.settled(20);
  equal(stream.text, "one\n");
});

Deno.test("Outlet.settled() waits longer for a reader that goes on", async () => {
  const texts = Array.from({ length: 36 }, (_, index) => `${index}\n`);
  let taken = "";
  let isRead = false;
  let isFull = true;
  const outlet = new Outlet({
    write(bytes) {
      isFull = !isRead || !isFull;
      if (isFull) throw new Deno.errors.WouldBlock("full");
      taken += new TextDecoder().decode(bytes);
      return bytes.length;
    },
    onDropped: () => {},
  });
  texts.forEach((text) => outlet.write(text));
  isRead = true;
  const limit = 300;
  const start = performance.now();
  await outlet.settled(limit);
  equal(taken, texts.join(""));
  ok(performance.now() - start > limit);
});

Deno.test("Outlet.together() writes in one piece, also where its task fails", () => {
  const stream = new Stream();
  const outlet = stream.outlet();
  throws(() =>
    outlet.together(() => {
      outlet.write("one\n");
      outlet.together(() => outlet.write("two\n"));
      equal(stream.text, "");
      throw new Error("no third");
    }), /no third/);
  outlet.together(() => {});
  deepStrictEqual([stream.text, stream.writes], ["one\ntwo\n", 1]);
});

Deno.test("Outlet counts each text of a piece that is lost", () => {
  const stream = new Stream();
  const outlet = stream.outlet(8);
  const write = () =>
    outlet.together(() => ["one\n", "two\n", "six\n"].forEach((text) => outlet.write(text)));
  stream.error = new Deno.errors.BrokenPipe("gone");
  write();
  stream.error = undefined;
  stream.room = 0;
  outlet.write("ten\n");
  write();
  stream.room = Infinity;
  outlet.write("end\n");
  equal(stream.text, "ten\none\nend\n");
  deepStrictEqual(stream.dropped, [3, 2]);
});
