import { deepStrictEqual, match, rejects, strictEqual, throws } from "node:assert/strict";
import { type Config, loadConfigFile } from "../../../runtime/config/file.ts";
import { maskSecrets } from "../../../runtime/log/secrets.ts";
import { resolveConfig, type ResolveConfigOptions } from "../../../runtime/config/config.ts";
import { type ConfigValue, formatConfigYaml, parseConfigYaml } from "../../../runtime/config/yaml.ts";
import { ConfigurationError } from "../../../runtime/message/errors.ts";

const ENV = { S: "str", N: "5", EMPTY: "", "A-B": "dash", "a.b": "dot" };
const REFUSED = Symbol("refused");

function parse(text: string, env: Record<string, string> = {}): ConfigValue {
  const variables = new Map(Object.entries({ ...ENV, ...env }));
  return parseConfigYaml(text, { action: "Cannot read it", env: variables });
}

function valueOf(scalar: string, env: Record<string, string> = {}): unknown {
  try {
    return (parse(`A: ${scalar}`, env) as Config)["A"];
  } catch (error) {
    if (error instanceof ConfigurationError) return REFUSED;
    throw error;
  }
}

async function withFile(text: string, use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".yaml" });
  try {
    await Deno.writeTextFile(path, text);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

/** Values of a variable, and what `${V}` gives: the value is parsed as YAML 1.1 a second time. */
const VALUES: readonly (readonly [string, unknown])[] = [
  ["", null],
  ["5", 5],
  ["1.50", 1.5],
  ["true", true],
  ["no", false],
  ["on", true],
  ["y", "y"],
  ["null", null],
  ["~", null],
  ["[a, b]", ["a", "b"]],
  ["{k: v}", { k: "v" }],
  ["2020-01-01", "2020-01-01"],
  ["2001-12-14 21:59:43.10 -5", "2001-12-14T21:59:43.10-05:00"],
  ["2001-12-14t1:59:43Z", "2001-12-14T01:59:43Z"],
  ["010", 8],
  ["089", "089"],
  ["0b101", 5],
  ["0x1F", 31],
  ["-0x1F", -31],
  ["1_000", 1000],
  ["1:30", 90],
  ["1:60", "1:60"],
  ["1:30.5", 90.5],
  [".inf", Infinity],
  ["-.inf", -Infinity],
  [".nan", NaN],
  [".5", 0.5],
  ["1e3", "1e3"],
  ["1.0e3", "1.0e3"],
  ["1.0e+3", 1000],
  ["12345678901234567890", "12345678901234567890"],
  ['"5"', "5"],
  ["a: b", { a: "b" }],
  ["a # b", "a"],
  ["*a", REFUSED],
  ["@a", REFUSED],
  ["%a", REFUSED],
  ["a\tb", REFUSED],
  ["a\t", REFUSED],
  ["!tag a", REFUSED],
  ["a: b\n---\nc: d", REFUSED],
  [" x ", "x"],
  ["x\ny", "x y"],
  ["${S}", "str"],
  ["a${N}", "a5"],
  ["${V}", "${V}"],
  ["a${V}", REFUSED],
  ["<<: {a: 1, b: 2}\nb: 3", { a: 1, b: 3 }],
];

/** Scalars of a file, and what they give. */
const SCALARS: readonly (readonly [string, unknown])[] = [
  ["${X}", null],
  ["${X:}", null],
  ["${EMPTY}", null],
  ["${EMPTY:def}", null],
  ['!raw_env_var "${X}"', ""],
  ['!raw_env_var "${N}"', "5"],
  ["!raw_env_var ${N}", "5"],
  ["!raw_env_var 5", "5"],
  ["pre${S}post", "prestrpost"],
  ["${S}${N}", "str5"],
  ["${N}.${N}", 5.5],
  ["${X:a:b}", "a:b"],
  ["${X:http://h:80/p}", "http://h:80/p"],
  ["${X:def }", "def"],
  ["${X: def}", REFUSED],
  ["${X:{a: 1}}", REFUSED],
  ['!env_var "${X: def}"', "def"],
  ['!env_var "${X:{a: 1}}"', { a: 1 }],
  ["${X:[1, 2]}", [1, 2]],
  ["[${N}, ${S}]", REFUSED],
  ["{a: ${N}}", REFUSED],
  ["${X:a #b}", "${X:a"],
  ['${X:""}', ""],
  ["${A-B}", "dash"],
  ["${a.b}", "dot"],
  ["$S", "$S"],
  ["${}", "${}"],
  ["${:x}", "${:x}"],
  ["${ S }", "${ S }"],
  ["${S }", "${S }"],
  ["$${S}", "$str"],
  ["\\${S}", "\\str"],
  ['"${S}"', "${S}"],
  ["'${S}'", "${S}"],
  ["|\n  ${S}\n", "${S}\n"],
  ["|\n  ${S}", "${S}"],
  [">\n  ${S}\n", "${S}\n"],
  ["!env_var |\n  ${N}\n", 5],
  ["!raw_env_var |\n  ${N}\n", "5\n"],
  ["!!str ${S}", "${S}"],
  ['!env_var "${S}"', "str"],
  ["!env_var 5", "5"],
  ["!env_var [a]", REFUSED],
  ["${X:${S}}", "str"],
  ["${X:pre_${S}}", "pre_str"],
  ["${X:${Y:deep}}", "deep"],
  ["${X:${Y:${Z:deeper}}}", "deeper"],
  ["${URL:amqp://${U:guest}:${P:pw}@${H:localhost}}", "amqp://guest:pw@localhost"],
  ["${X:https://x/{path}}", "https://x/{path}"],
  ["${X:{x}}", { x: null }],
  ["${X:a}b}", "ab}"],
  ["${X:a{b}", "${X:a{b}"],
  ["${S:${N}}", "str"],
  ["${X:a_${S}_b_${N}}", "a_str_b_5"],
  ["${X:${}}", "${}"],
  ["a\n  ${S}", "a str"],
  ["!!python/name:os.system x", REFUSED],
  ["!!int 5", 5],
  ["!!int x", REFUSED],
];

Deno.test("parseConfigYaml() reads the value of a variable as YAML 1.1", async (t) => {
  for (const [value, expected] of VALUES) {
    await t.step(JSON.stringify(value), () => deepStrictEqual(valueOf("${V}", { V: value }), expected));
  }
});

Deno.test("parseConfigYaml() fills in references as Nameko does", async (t) => {
  for (const [scalar, expected] of SCALARS) {
    await t.step(JSON.stringify(scalar), () => deepStrictEqual(valueOf(scalar), expected));
  }
});

Deno.test("parseConfigYaml() takes any text by !raw_env_var", () => {
  for (const value of ["*a", "@a", "%a", "a\tb", "a: b", "a # b", " x "]) {
    strictEqual(valueOf('!raw_env_var "${V}"', { V: value }), value);
  }
});

Deno.test("parseConfigYaml() fills in keys and keeps them text", () => {
  deepStrictEqual(parse("${S}: 1\n${N}: 2\n010: 3\nyes: 4"), { str: 1, "5": 2, "010": 3, yes: 4 });
});

Deno.test("parseConfigYaml() ends when variables refer to each other", () => {
  throws(
    () => parse("A: ${X:${P}}", { P: "${Q:x}y${P}", Q: "${P}" }),
    /line 1, column 4: .*refers to itself/,
  );
});

Deno.test("parseConfigYaml() refuses a key that is there twice", () => {
  throws(
    () => parse("a: 1\nb: 2\na: 3"),
    /^ConfigurationError: Cannot read it, line 3, column 1: the key "a"/,
  );
});

Deno.test("parseConfigYaml() refuses a key that a variable makes a duplicate", () => {
  throws(() => parse("str: 1\n${S}: 3"), /the key "str" is in this mapping twice/);
});

Deno.test("parseConfigYaml() says of a tab that indents what to use instead", () => {
  throws(() => parse("a:\n\tb: 1"), /line 2, column 1: .*Indent with spaces$/);
});

Deno.test("parseConfigYaml() refuses an alias inside its own anchor", () => {
  throws(() => parse("a: &a [*a]"), /line 1, column 8/);
});

Deno.test("parseConfigYaml() merges mappings, the earlier and the own entries winning", () => {
  deepStrictEqual(parse("x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], c: 3}"), {
    x: { a: 1, b: 1 },
    y: { b: 2, c: 2 },
    z: { a: 1, b: 1, c: 3 },
  });
});

Deno.test("parseConfigYaml() never makes a prototype of a key", () => {
  deepStrictEqual(Object.keys(parse("__proto__: {a: 1}") as Config), ["__proto__"]);
});

Deno.test("parseConfigYaml() does not show the value of a variable that is not YAML", () => {
  throws(() => parse("A: x\nB: ${V}", { V: "@s3cret" }), (error: Error) => {
    return /line 2, column 4: .*!raw_env_var/.test(error.message) && !error.message.includes("s3cret");
  });
});

Deno.test("loadConfigFile() reads a file", () =>
  withFile("AMQP_URI: pyamqp://${U:guest}:${P:password}@${H:localhost}\n", async (path) => {
    const env = new Map([["H", "rabbit"]]);
    deepStrictEqual(await loadConfigFile(path, { env }), { AMQP_URI: "pyamqp://guest:password@rabbit" });
  }));

Deno.test("loadConfigFile() takes an empty file for an empty configuration", () =>
  withFile("# nothing\n", async (path) => deepStrictEqual(await loadConfigFile(path), {})));

Deno.test("loadConfigFile() refuses a top level that is no mapping", () =>
  withFile("- a\n", async (path) => {
    await rejects(loadConfigFile(path), /^ConfigurationError: .*its top level is a list/);
  }));

Deno.test("loadConfigFile() names file, line and column of bad YAML", () =>
  withFile("a: 1\nb: [1, 2\n", async (path) => {
    await rejects(
      loadConfigFile(path),
      (error: Error) => error.message.includes(`"${path}", line 3, column 1: `),
    );
  }));

Deno.test("loadConfigFile() says that a file is missing", async () => {
  const message = 'Cannot read config file "no/x.yaml": no such file';
  await rejects(loadConfigFile("no/x.yaml"), { name: "ConfigurationError", message });
});

Deno.test("resolveConfig() prefers flag to definition to file to environment", () =>
  withFile("TRANSPORT: file\nA: file\nB: file\nC: file\n", async (file) => {
    const env = new Map([["TRANSPORT", "env"], ["AMQP_URI", "env"], ["A", "env"], [
      "WEB_SERVER_ADDRESS",
      "",
    ]]);
    const flags = { A: "flag", C: undefined };
    deepStrictEqual(
      await resolveConfig({ env, file, define: ["A=define", "B=define", "B=[1, no]"], flags }),
      {
        AMQP_URI: "env",
        TRANSPORT: "file",
        A: "flag",
        B: [1, false],
        C: "file",
      },
    );
  }));

Deno.test("resolveConfig() refuses a definition without a value", async () => {
  await rejects(resolveConfig({ env: new Map(), define: ["max_workers"] }), /not of the form KEY=VALUE/);
});

Deno.test("formatConfigYaml() prints what Nameko's show-config prints", () => {
  const config = { b: [1, { c: "yes" }], a: { d: null, e: true }, f: "amqp://h", g: {}, h: [] };
  const text = "a:\n  d: null\n  e: true\nb:\n- 1\n- c: 'yes'\nf: amqp://h\ng: {}\nh: []\n";
  strictEqual(formatConfigYaml(config), text);
});

Deno.test("formatConfigYaml() reads back as the same data", () => {
  const texts = [...VALUES, ...SCALARS].map(([text]) => text);
  const value = {
    texts,
    numbers: [0, -1, 1.5, 1e21, 1e-7, Infinity, -Infinity, NaN],
    "yes: ": { "${S}": "#" },
  };
  deepStrictEqual(parse(formatConfigYaml(value)), value);
});

Deno.test("maskSecrets() masks passwords of URIs and values of secret keys", () => {
  deepStrictEqual(
    maskSecrets({
      AMQP_URI: "pyamqp://guest:s3cret@host:5672//",
      db: { PASSWORD: "x", user: "u", apiKey: 5, "client-secret": { a: 1 }, token: null, use_token: true },
      urls: ["http://h:80/@x", "redis://:pw@h"],
    }),
    {
      AMQP_URI: "pyamqp://guest:********@host:5672//",
      db: {
        PASSWORD: "********",
        user: "u",
        apiKey: "********",
        "client-secret": "********",
        token: null,
        use_token: true,
      },
      urls: ["http://h:80/@x", "redis://:********@h"],
    },
  );
});

/** What is told of the variables in a file, where `SET` is set and nothing else. */
async function remarksOn(
  text: string,
  options: Pick<ResolveConfigOptions, "define" | "flags" | "defaults"> = {},
): Promise<readonly string[]> {
  const remarks: string[] = [];
  await withFile(text, async (file) => {
    const env = new Map([["SET", "s3cret"], ["EMPTY", ""]]);
    await resolveConfig({
      ...options,
      env,
      file,
      onRemark: (remark) => remarks.push(remark.replace(file, "FILE")),
    });
  });
  return remarks;
}

Deno.test("resolveConfig() tells of each variable that is not set and has no default, with its place", async () => {
  deepStrictEqual(
    await remarksOn("A: 1\nURI: amqp://${SET}:${NOT_SET}@host\nservices:\n  s:\n    - ${OTHER}\n"),
    [
      'Variable "NOT_SET" is not set, so that nothing takes its place in config key "URI" in line 2, column 6 of FILE. ' +
      "Set it, or name a default: ${NOT_SET:default}",
      'Variable "OTHER" is not set, so that nothing takes its place in config key "services.s" in line 5, column 7 of ' +
      "FILE. Set it, or name a default: ${OTHER:default}",
    ],
  );
});

Deno.test("resolveConfig() tells nothing of variables that are set, or have a default, or stand in quotes", async () => {
  const text = 'A: ${SET}\nB: ${EMPTY}\nC: ${X:}\nD: ${X:1}\nE: "${X}"\nF: ${X:${SET}}\n';
  deepStrictEqual(await remarksOn(text), []);
});

Deno.test("resolveConfig() tells once of a variable that a default or a text names several times", async () => {
  strictEqual((await remarksOn("A: ${X:${NOT_SET}}\n")).length, 1);
  strictEqual((await remarksOn("A: ${NOT_SET}-${NOT_SET}\n")).length, 1);
  strictEqual((await remarksOn("A: &a ${NOT_SET}\nB: *a\n")).length, 1);
});

Deno.test("resolveConfig() tells of a variable only where its key counts", async () => {
  const text = "A: ${NOT_SET}\n";
  deepStrictEqual(await remarksOn(text, { flags: { A: 1 } }), []);
  deepStrictEqual(await remarksOn(text, { define: ["A=1"], defaults: "A: ${FURTHER}" }), []);
  const [remark] = await remarksOn("A: 1", { define: ["B=${NOT_SET}"] });
  match(remark!, /"NOT_SET" .* config key "B" in line 1, column 1 of its definition\./);
});

Deno.test("parseConfigYaml() refuses aliases that stand for millions of values", () => {
  const lines = ["v0: &v0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"];
  for (let depth = 1; depth < 9; depth++) {
    lines.push(`v${depth}: &v${depth} [${`*v${depth - 1}, `.repeat(10)}]`);
  }
  throws(() => parse(lines.join("\n")), {
    name: "ConfigurationError",
    message:
      /^Cannot read it, line 6, column \d+: with its aliases it has more than 1000000 values\. Use fewer aliases$/,
  });
  deepStrictEqual(parse("a: &a [1]\nb: [*a, *a]"), { a: [1], b: [[1], [1]] });
});
