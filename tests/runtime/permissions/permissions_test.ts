import { deepStrictEqual, throws } from "node:assert/strict";
import { checkPermissions, threadPermissions } from "../../../runtime/permissions/permissions.ts";

const NEEDS = { read: ["/srv/orders.ts"], import: ["host:443"] };
const NOTHING = { env: false, ffi: false, net: false, run: false, sys: false, write: false };

const REFUSED: readonly (readonly [permissions: unknown, complaint: string])[] = [
  ["some", `expected "all", "none" or a mapping, got "some"`],
  [null, `expected "all", "none" or a mapping, got null`],
  [["net"], `expected "all", "none" or a mapping, got [ "net" ]`],
  [{ nte: true }, `there is no permission "nte", only env, ffi, import, net, read, run, sys, write, workers`],
  [{ workers: ["a"] }, `"workers" takes no list: it must be true or false`],
  [{ net: "host" }, `"net" must be true, false or a list of texts, got "host"`],
  [{ net: [80] }, `"net" must be true, false or a list of texts, got [ 80 ]`],
  [{ net: ["x.y:99999"] }, `"net" takes ports up to 65535, and "x.y:99999" has no such port`],
  [{ net: ["::1"] }, `"net" takes addresses of IPv6 in brackets, such as [::1]:443, and "::1" has none`],
  [{ import: ["[::1]:http"] }, `"import" takes ports up to 65535, and "[::1]:http" has no such port`],
  [{ env: ["TZ", "A=B"] }, `"env" takes names of variables, and "A=B" is none`],
  [{ read: ["/a", "file:///b"] }, `"read" takes paths, and "file:///b" is a URL`],
];

Deno.test("checkPermissions() lets through what has the right shape", () => {
  const hosts = ["host:80", "[::1]:80", "[::1]", "10.0.0.0/8"];
  for (const permissions of ["all", "none", {}, { workers: true }, { net: hosts, env: true, run: false }]) {
    deepStrictEqual(checkPermissions(permissions, "permissions"), permissions);
  }
});

Deno.test("checkPermissions() says what is wrong, and where", () => {
  for (const [permissions, complaint] of REFUSED) {
    throws(() => checkPermissions(permissions, "permissions of orders"), {
      name: "ConfigurationError",
      message: `Cannot use permissions of orders: ${complaint}`,
    });
  }
});

Deno.test("threadPermissions() gives nothing but loading where nothing was granted", () => {
  const expected = { ...NOTHING, read: ["/srv/orders.ts"], import: ["host:443"] };
  deepStrictEqual(threadPermissions("none", NEEDS), expected);
  deepStrictEqual(threadPermissions({}, NEEDS), expected);
  deepStrictEqual(threadPermissions({ read: false, import: false }, NEEDS), expected);
});

Deno.test("threadPermissions() adds what loading needs to what was granted", () => {
  const granted = { net: ["api:443"], env: true, read: ["/data"], import: [] };
  deepStrictEqual(threadPermissions(granted, NEEDS), {
    ...NOTHING,
    net: ["api:443"],
    env: true,
    read: ["/data", "/srv/orders.ts"],
    import: ["host:443"],
  });
});

Deno.test("threadPermissions() keeps a full grant full", () => {
  deepStrictEqual(threadPermissions({ read: true, import: true }, NEEDS), {
    ...NOTHING,
    read: true,
    import: true,
  });
});
