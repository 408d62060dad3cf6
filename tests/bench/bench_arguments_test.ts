import { deepStrictEqual, throws } from "node:assert/strict";
import { readBenchArguments } from "./bench_arguments.ts";

const read = (...args: readonly string[]) =>
  readBenchArguments(args, ["rpc", "http", "cache"], ["http", "rpc"]);

Deno.test("a benchmark without arguments measures all parts and writes no file", () => {
  deepStrictEqual(read(), {
    parts: ["rpc", "http", "cache"],
    json: undefined,
    svg: undefined,
    against: undefined,
    slices: 30,
    requests: 500_000,
  });
});

Deno.test("a benchmark measures the parts that are named, and writes where it is told", () => {
  const { parts, json, svg } = read("--json", "figures.json", "cache", "--svg=charts", "rpc");
  deepStrictEqual([parts, json, svg], [["cache", "rpc"], "figures.json", "charts"]);
});

Deno.test("a comparison has the parts that can be compared", () => {
  deepStrictEqual(read("--against", "HEAD~1").parts, ["http", "rpc"]);
  throws(() => read("--against", "HEAD~1", "cache"), {
    message: 'Cannot compare "cache": the parts are http, rpc',
  });
});

Deno.test("a part that is none is told with those that are", () => {
  throws(() => read("htpp"), { message: 'Cannot measure "htpp": the parts are rpc, http, cache' });
});

Deno.test("a comparison needs a whole number of slices, and not too few", () => {
  for (const slices of ["4", "7.5", "many"]) {
    throws(() => read("--against=HEAD", "--slices", slices), {
      message: `Cannot compare in ${slices} slices: it must be a whole number of 5 or more`,
    });
  }
});

Deno.test("the memory of any number of requests can be measured", () => {
  deepStrictEqual(read("--requests", "10000000").requests, 10_000_000);
  throws(() => read("--requests", "some"), {
    message: "Cannot make some requests: it must be a whole number of 1 or more",
  });
});
