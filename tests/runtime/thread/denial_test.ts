import assert from "node:assert/strict";
import { explainDenial } from "../../../runtime/thread/denial.ts";

function explained(message: string, options?: ErrorOptions): Error {
  const error = new Deno.errors.NotCapable(message, options);
  explainDenial(error, "orders.place");
  return error;
}

const TEXTS: readonly (readonly [denos: string, ours: string])[] = [
  [
    'Requires env access to "TOKEN", run again with the --allow-env flag',
    'Cannot read variable "TOKEN" in orders.place: not permitted. Allow it with --allow-env=TOKEN',
  ],
  [
    "Requires env access, run again with the --allow-env flag",
    "Cannot read the environment in orders.place: not permitted. Allow it with --allow-env",
  ],
  [
    'Requires net access to "api.example.com:443", specify the required permissions during compilation using ' +
    "`deno compile --allow-net`",
    'Cannot use network address "api.example.com:443" in orders.place: not permitted. ' +
    "Allow it with --allow-net=api.example.com:443",
  ],
  [
    "Requires write access to <TMP>, run again with the --allow-write flag",
    "Cannot write files in orders.place: not permitted. Allow it with --allow-write",
  ],
  [
    `Requires read access to "/it's here", run again with the --allow-read flag`,
    String
      .raw`Cannot read "/it's here" in orders.place: not permitted. Allow it with --allow-read='/it'\''s here'`,
  ],
  [
    'Requires read access to "/a,b", run again with the --allow-read flag',
    'Cannot read "/a,b" in orders.place: not permitted. Allow it with --allow-read',
  ],
  [
    "Requires workers access, run again with the --allow-workers flag",
    "Cannot start a Worker in orders.place: not permitted. Allow it with --allow-workers",
  ],
  [
    "Can't escalate parent thread permissions",
    "Cannot do this in orders.place: Can't escalate parent thread permissions",
  ],
];

Deno.test("explainDenial() says who was denied what, and which flag permits it", () => {
  for (const [denos, ours] of TEXTS) assert.equal(explained(denos).message, ours);
});

Deno.test("explainDenial() changes the stack with the message, and no error twice", () => {
  const error = explained(TEXTS[0]![0]);
  assert.ok(error.stack!.startsWith(`NotCapable: ${TEXTS[0]![1]}\n    at `));
  explainDenial(error, "mail.send");
  assert.equal(error.message, TEXTS[0]![1]);
});

Deno.test("explainDenial() finds the denial behind an error of the service's own", () => {
  const cause = new Deno.errors.NotCapable(TEXTS[0]![0]);
  const error = new Error("no token", { cause });
  explainDenial(error, "orders.place");
  assert.equal(error.message, "no token");
  assert.equal(cause.message, TEXTS[0]![1]);
});

Deno.test("explainDenial() leaves alone what is no denial", () => {
  const error = new Error("Requires care");
  for (const thrown of [error, undefined, null, "Requires env access", { message: "Requires env access" }]) {
    explainDenial(thrown, "orders.place");
  }
  assert.equal(error.message, "Requires care");
});

Deno.test("explainDenial() ends where errors cause each other", () => {
  const [one, two] = [new Error("one"), new Error("two")];
  one.cause = two;
  two.cause = one;
  explainDenial(one, "orders.place");
  assert.equal(two.message, "two");
});

Deno.test("explainDenial() leaves alone what cannot be read or changed", () => {
  const frozen = Object.freeze(new Deno.errors.NotCapable(TEXTS[0]![0]));
  const { proxy, revoke } = Proxy.revocable(new Error(), {});
  revoke();
  const failing = Object.defineProperty(new Error(), "message", {
    get() {
      throw new Error("not to be read");
    },
  });
  for (const thrown of [frozen, proxy, failing]) explainDenial(thrown, "orders.place");
  assert.equal(frozen.message, TEXTS[0]![0]);
});

Deno.test("explainDenial() knows a host that node:net may not look up", () => {
  const error = Object.assign(new Error("getaddrinfo EPERM db.example"), {
    code: "EPERM",
    syscall: "getaddrinfo",
    hostname: "db.example",
  });
  for (let round = 0; round < 2; round++) explainDenial(error, "orders.place");
  assert.equal(
    error.message,
    'Cannot use network address "db.example" in orders.place: not permitted. Allow it with --allow-net=db.example',
  );
});

Deno.test("explainDenial() knows an address that a datagram socket may not bind, also in a driver's words", () => {
  for (
    const [text, ours] of [
      [
        "bind EPERM 0.0.0.0",
        'address "0.0.0.0:0" in orders.place: not permitted. Allow it with --allow-net=0.0.0.0:0',
      ],
      [
        "Error: bind EPERM :::9",
        `"[::]:9" in orders.place: not permitted. Allow it with --allow-net='[::]:9'`,
      ],
    ] as const
  ) {
    const error = new Error(text);
    for (let round = 0; round < 2; round++) explainDenial(error, "orders.place");
    assert.ok(error.message.endsWith(ours), error.message);
  }
});
