import { deepStrictEqual, throws } from "node:assert/strict";
import { Router } from "../../../extensions/http/routing/router.ts";
import { parseRule } from "../../../extensions/http/routing/rule.ts";
import { http } from "../../../extensions/http/mod.ts";

function routerOf(...rules: readonly string[]): Router<string> {
  const router = new Router<string>();
  for (const rule of rules) router.add("GET", parseRule(rule), rule, String);
  return router;
}

function paramsOf(rule: string, path: string): unknown {
  return routerOf(rule).find("GET", path)?.params;
}

const UUID = "123e4567-e89b-12d3-a456-426614174000";

/** Rule, path, and the variables; undefined where it does not match. */
const CASES: readonly (readonly [string, string, unknown])[] = [
  ["/", "/", {}],
  ["/orders/:id", "/orders/a%20b", { id: "a b" }],
  ["/orders/:id", "/orders/a%2Fb", { id: "a/b" }],
  ["/orders/:id", "/orders/", undefined],
  ["/orders/:id", "/orders/1/2", undefined],
  ["/orders/:id/items/:item", "/orders/1/items/2", { id: "1", item: "2" }],
  ["/s/<x>", "/s/a", { x: "a" }],
  ["/s/<x>", "/s/a%2Fb", undefined],
  ["/s/<x>", "/s/%zz", undefined],
  ["/s/<string(length=2):x>", "/s/abc", undefined],
  ["/s/<string(minlength=2, maxlength=3):x>", "/s/abc", { x: "abc" }],
  ["/get/<int:value>", "/get/007", { value: 7 }],
  ["/get/<int:value>", "/get/-7", undefined],
  ["/get/<int:value>", "/get/x", undefined],
  ["/get/<int:value>", "/get/99999999999999999999", undefined],
  ["/get/<int(signed=True):value>", "/get/-7", { value: -7 }],
  ["/get/<int(min=5,max=9):value>", "/get/4", undefined],
  ["/get/<int(min=5,max=9):value>", "/get/9", { value: 9 }],
  ["/f/<float:x>", "/f/1.5", { x: 1.5 }],
  ["/f/<float:x>", "/f/1", undefined],
  ["/p/<path:rest>", "/p/a/b%20c", { rest: "a/b c" }],
  ["/p/<path:rest>/edit", "/p/a/b/edit", { rest: "a/b" }],
  ["/<path:from>/to/<path:to>", "/a/b/to/c/to/d", { from: "a/b/to/c", to: "d" }],
  ["/<path:from>/to/<path:to>/end", "/a/to/b/end", { from: "a", to: "b" }],
  ["/<path:from>/to/<path:to>", "/a/to/", undefined],
  ["/u/<uuid:x>", `/u/${UUID}`, { x: UUID }],
  ["/u/<uuid:x>", "/u/123e4567", undefined],
  ["/a/<any(red,light-blue):x>", "/a/light-blue", { x: "light-blue" }],
  ["/a/<any(red,light-blue):x>", "/a/blue", undefined],
  ["/v<int:major>.<int:minor>/x", "/v1.20/x", { major: 1, minor: 20 }],
  ["/v<int:major>.<int:minor>/x", "/v1x20/x", undefined],
  ["/caf\u00e9/:x", "/caf%C3%A9/1", { x: "1" }],
  ["/caf\u00e9/~u", "/caf%c3%a9/~u", {}],
  ["/caf\u00e9/~u", "/caf%C3%A9/%7Eu", {}],
  ["/caf%c3%a9/%7eu", "/caf%C3%A9/~u", {}],
  ["/any/<any(\u00e9,b):x>", "/any/%c3%a9", { x: "\u00e9" }],
  ["/get/<int:value>", "/get/%31", { value: 1 }],
  ["/a%2Fb", "/a%2fb", {}],
  ["/a%2Fb", "/a/b", undefined],
  ["/a%25b", "/a%25b", {}],
  ["/Case", "/case", undefined],
];

for (const [rule, path, params] of CASES) {
  Deno.test(`Router.find() reads ${path} by ${rule} as ${JSON.stringify(params)}`, () => {
    deepStrictEqual(paramsOf(rule, path), params);
  });
}

Deno.test("Router.find() prefers fixed text to numbers to text to paths, whatever the order", () => {
  const rules = ["/x/<path:p>", "/x/:s", "/x/<int:i>", "/x/new"];
  for (const order of [rules, rules.toReversed()]) {
    const router = routerOf(...order);
    const found = ["/x/new", "/x/7", "/x/other", "/x/a/b"].map((path) => router.find("GET", path)?.target);
    deepStrictEqual(found, ["/x/new", "/x/<int:i>", "/x/:s", "/x/<path:p>"]);
  }
});

Deno.test("Router.find() asks the next rule where a converter refuses the value", () => {
  const router = routerOf("/x/<int(max=9):i>", "/x/:s");
  const { target, params } = router.find("GET", "/x/10")!;
  deepStrictEqual([target, params], ["/x/:s", { s: "10" }]);
});

Deno.test("Router.find() finds what follows a path, whatever other rules there are", () => {
  const router = routerOf(
    "/<x>/",
    "/<x>/y",
    "/p/<path:rest>/",
    "/p/<path:rest>/edit",
    "/p/<path:rest>/<int:part>",
  );
  for (
    const [path, target, params] of [
      ["/p/", "/<x>/", { x: "p" }],
      ["/p/a/", "/p/<path:rest>/", { rest: "a" }],
      ["/p/a/b/", "/p/<path:rest>/", { rest: "a/b" }],
      ["/p/a/b/edit", "/p/<path:rest>/edit", { rest: "a/b" }],
      ["/p/a/b/7", "/p/<path:rest>/<int:part>", { rest: "a/b", part: 7 }],
      ["/p/y", "/<x>/y", { x: "p" }],
    ] as const
  ) {
    const found = router.find("GET", path)!;
    deepStrictEqual([found.target, found.rule.source, found.params], [target, target, params], path);
  }
});

Deno.test("Router.find() prefers the narrower of two converters of the same kind, whatever the order", () => {
  const pairs = [["/a/<int:x>", "/a/<int(min=5):x>"], ["/a/<x>", "/a/<string(length=1):x>"]] as const;
  for (const [wide, narrow] of pairs) {
    for (const order of [[wide, narrow], [narrow, wide]]) {
      const router = routerOf(...order);
      deepStrictEqual(["/a/7", "/a/11"].map((path) => router.find("GET", path)?.target), [
        narrow,
        narrow.includes("min") ? narrow : wide,
      ]);
      deepStrictEqual(router.find("GET", "/a/04")?.target, wide);
    }
  }
});

Deno.test("Router.add() refuses a rule that matches what another does, naming both owners", () => {
  const router = routerOf("/orders/:id");
  throws(() => router.add("GET", parseRule("/orders/<x>"), "other", String), {
    name: "ConfigurationError",
    message: "Cannot serve GET /orders/<x> twice: /orders/:id and other have it",
  });
  router.add("POST", parseRule("/orders/<x>"), "other", String);
});

for (
  const [rule, message] of [
    ["orders", /a rule begins with a slash/],
    ["/<thing:x>", /there is no converter "thing"/],
    ["/<int:x", /cannot be in a path|a bracket is not closed/],
    ["/<int:1x>", /"1x" cannot be the name of a variable/],
    ["/<int(least=1):x>", /the argument least is not known/],
    ["/<int(min=a):x>", /min must be a number, got "a"/],
    ["/<any():x>", /any needs at least one item/],
    ["/:id/<id>", /it has two variables "id"/],
    ["/a*", /"a\*" cannot be in a path/],
    ["/a?b=1", /cannot be in a path/],
    ["/a%zz", /"a%zz" is wrongly encoded/],
    ["/a%ff", /"a%ff" is wrongly encoded/],
  ] as const
) {
  Deno.test(`http() refuses the rule ${rule}`, () => {
    throws(() => http("GET", rule), { name: "TypeError", message });
    throws(() => http("GET", rule), { message: new RegExp("^Cannot declare an HTTP entrypoint at ") });
  });
}

Deno.test("http() takes methods as a list, or as Nameko writes them", () => {
  deepStrictEqual(http("get,POST", "/x").options, { methods: ["GET", "POST"], rule: "/x" });
  deepStrictEqual(http(["PUT"], "/x", { timeout: 5 }).options, { methods: ["PUT"], rule: "/x", timeout: 5 });
  throws(() => http("GET POST", "/x"), TypeError);
  throws(() => http("", "/x"), TypeError);
  throws(() => http("GET", "/x", { timeout: 0 }), RangeError);
});
