import { OR_TEXT } from "../../runtime/waiting/duration.ts";
import assert from "node:assert/strict";
import { enoki } from "./command.ts";

for (
  const command of [
    "new",
    "run",
    "call",
    "shell",
    "describe",
    "client",
    "config",
    "ps",
    "top",
    "trace",
    "tail",
    "profile",
    "heap",
    "queues",
    "completions",
  ]
) {
  Deno.test(`enoki ${command} --help prints usage and examples as its result`, async () => {
    const { status, out, err } = await enoki([command, "--help"]);
    assert.equal(status, 0);
    assert.match(out, new RegExp(`^Usage: enoki ${command} `));
    assert.match(out, /Examples:/);
    assert.equal(err, "");
  });
}

Deno.test("enoki --help names all commands", async () => {
  const { status, out } = await enoki(["--help"]);
  assert.equal(status, 0);
  assert.match(out, /\brun\b[^]*\bcall\b[^]*\bshell\b[^]*\bdescribe\b[^]*\bclient\b[^]*\bconfig\b/);
});

Deno.test("enoki --version prints the version as its result", async () => {
  assert.deepEqual(await enoki(["--version"]), { status: 0, out: "enoki 1.2.3\n", err: "" });
});

/** Each line says what was wrong, and the next where to look. */
const MISTAKES: readonly (readonly [readonly string[], string])[] = [
  [["rnu"], "Unknown command 'rnu'. Did you mean run?"],
  [["run"], "Missing required argument 'module'"],
  [["run", "--brokr", "x", "a.ts"], "Unknown option '--brokr'. Did you mean --broker?"],
  [["run", "--max-workers", "0", "a.ts"], "Cannot use --max-workers 0: it must be an integer, 1 or more"],
  [
    ["run", "--processes", "none", "a.ts"],
    "Cannot use --processes none: it must be an integer, 1 or more, or auto",
  ],
  [["run", "--concurrency", "two", "a.ts"], "Cannot use --concurrency two: it must be an integer, 1 or more"],
  [["run", "--log-format", "xml", "a.ts"], "Cannot use --log-format xml: allowed choices are pretty, json"],
  [["run", "--allow-net=", "a.ts"], "Cannot use --allow-net : the list is empty"],
  [["call", "hello"], "Cannot use argument hello: it must be <service>.<method>"],
  [
    ["call", "--timeout", "-1", "a.b"],
    `Cannot use --timeout -1: it must be a number of seconds above 0, ${OR_TEXT}`,
  ],
  [["call", "--header", "x", "a.b"], "Cannot use --header x: it must be KEY=VALUE"],
  [["call", "--allow-net", "a.b"], "Unknown option '--allow-net'"],
  [["shell", "--interface", "bpython"], "Cannot use --interface bpython: allowed choices are plain"],
  [["shell", "extra"], "Too many arguments for 'shell'. Expected 0 arguments but got 1: extra."],
  [["client"], "Missing required argument 'module|service'"],
  [["trace"], "Missing required argument 'id'"],
  [["trace", "4bf9z"], "Cannot use argument 4bf9z: it must be 6 to 32 hexadecimal digits"],
  [["tail", "--level", "loud"], "Cannot use --level loud: allowed choices are debug, info, warning, error"],
  [
    ["profile", "--seconds", "0", "orders"],
    `Cannot use --seconds 0: it must be a number of seconds above 0, ${OR_TEXT}`,
  ],
  [["heap"], "Missing required argument 'service'"],
  [["config", "extra"], "Too many arguments for 'config'. Expected 0 arguments but got 1: extra."],
];

for (const [argv, message] of MISTAKES) {
  Deno.test(`enoki ${argv.join(" ")} is a usage error in two lines`, async () => {
    const { status, out, err } = await enoki(argv);
    assert.equal(status, 2);
    assert.equal(out, "");
    const [first, second, rest] = err.split("\n");
    assert.equal(first, message);
    assert.match(second!, /^See enoki .*--help$/);
    assert.equal(rest, "");
  });
}

Deno.test("enoki without a command prints its usage as an error", async () => {
  const { status, out, err } = await enoki([]);
  assert.equal(status, 2);
  assert.equal(out, "");
  assert.match(err, /^Usage: enoki/);
});
