import assert from "node:assert/strict";
import { parseCallArguments, parseCallTarget } from "../../extensions/cli/flags/call_arguments.ts";
import {
  describePermissions,
  moveBarePermissionFlags,
  permissionsOf,
} from "../../extensions/cli/flags/permission_flags.ts";

Deno.test("parseCallTarget() splits at the last dot", () => {
  assert.deepEqual(parseCallTarget("shop.orders.place"), { service: "shop.orders", method: "place" });
});

Deno.test("parseCallTarget() refuses what has no service or no method", () => {
  for (const text of ["", ".", "place", ".place", "orders."]) assert.equal(parseCallTarget(text), undefined);
});

Deno.test("parseCallArguments() takes what is not JSON as text", () => {
  assert.deepEqual(parseCallArguments(["Ada", "7", "[1]", "{", "null", '"7"']).positional, [
    "Ada",
    7,
    [1],
    "{",
    null,
    "7",
  ]);
});

Deno.test("parseCallArguments() makes keyword arguments of key=value", () => {
  assert.deepEqual(parseCallArguments(["1", "name=Ada", "größe=2", "text=a=b", "empty="]), {
    positional: [1],
    named: { name: "Ada", größe: 2, text: "a=b", empty: "" },
  });
});

Deno.test("parseCallArguments() makes no keyword argument where the key is no identifier", () => {
  const words = ["1=2", "a-b=c", "=x", '{"a":"b=c"}'];
  assert.deepEqual(parseCallArguments(words), {
    positional: ["1=2", "a-b=c", "=x", { a: "b=c" }],
    named: {},
  });
});

Deno.test("moveBarePermissionFlags() keeps a module from becoming the value of a flag", () => {
  assert.deepEqual(
    moveBarePermissionFlags(["run", "--allow-net", "a.ts", "--allow-env=TZ", "--", "--allow-net"]),
    [
      "run",
      "a.ts",
      "--allow-env=TZ",
      "--allow-net",
      "--",
      "--allow-net",
    ],
  );
});

Deno.test("permissionsOf() leaves it to the configuration where no flag is given", () => {
  assert.equal(permissionsOf({ maxWorkers: 3 }), undefined);
});

Deno.test("permissionsOf() gives exactly what the flags name", () => {
  assert.deepEqual(permissionsOf({ allowNet: true, allowEnv: ["TZ"] }), { env: ["TZ"], net: true });
});

Deno.test("describePermissions() names what is granted and nothing else", () => {
  assert.equal(describePermissions({ env: ["TZ", "HOME"], net: true, run: false }), "env=TZ,HOME net");
  assert.equal(describePermissions("none"), "no permissions");
  assert.equal(describePermissions({ run: false }), "no permissions");
});
