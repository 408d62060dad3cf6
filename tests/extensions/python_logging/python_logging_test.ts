import { deepStrictEqual, equal, match, throws } from "node:assert/strict";
import { parseConfigText } from "../../../runtime/config/file.ts";
import { Section } from "../../../runtime/config/section.ts";
import type { LogLevel } from "../../../runtime/log/log.ts";
import { configureLogging, isLogged, logThreshold, resetLogging } from "../../../runtime/log/observe.ts";
import {
  PythonLogging,
  type PythonLoggingOptions,
} from "../../../extensions/python_logging/python_logging.ts";
import { guideBlocks } from "../../fixtures/guide/blocks.ts";
import { receiveDatagrams } from "../../fixtures/udp_receiver.ts";

/** A log that keeps its lines: `out`, `err` or `plain`, and the text. */
interface Kept extends Disposable {
  readonly logging: PythonLogging;
  readonly lines: string[];
}

async function logged(yaml: string, options: Omit<PythonLoggingOptions, "streams"> = {}): Promise<Kept> {
  const config = await parseConfigText(yaml, { action: "Cannot read", env: new Map(), file: "app.yaml" });
  const lines: string[] = [];
  const keep = (stream: string) => (line: string) => void lines.push(`${stream} ${line}`);
  const streams = {
    stdout: keep("out"),
    stderr: keep("err"),
    plain: ({ message }: { readonly message: string }) => void lines.push(`plain ${message}`),
  };
  const logging = new PythonLogging(new Section(config).section("LOGGING")!, { streams, ...options });
  return { logging, lines, [Symbol.dispose]: () => logging[Symbol.dispose]() };
}

function say({ logging }: Kept, level: LogLevel, service?: string): void {
  logging.write({ level, message: level, time: 0, ...(service !== undefined && { service }) });
}

/** What the documentation of Nameko shows, with loggers. */
const NAMEKO = `
LOGGING:
  version: 1
  formatters:
    simple:
      format: "%(levelname)-7s|%(name)s|%(message)s"
  handlers:
    console:
      class: logging.StreamHandler
      formatter: simple
    errors:
      class: logging.StreamHandler
      stream: ext://sys.stdout
      level: ERROR
  root:
    level: WARNING
    handlers: [console]
  loggers:
    nameko: { level: DEBUG }
    orders: { level: INFO, handlers: [errors] }
    mail: { level: ERROR, handlers: [errors], propagate: no }
`;

Deno.test("each logger has its level and its handlers, and those of the loggers above it", async () => {
  using kept = await logged(NAMEKO);
  for (const level of ["debug", "info", "warning", "error"] as const) {
    for (const service of [undefined, "orders", "orders.slow", "mail", "other"]) say(kept, level, service);
  }
  deepStrictEqual(kept.lines, [
    "err DEBUG  |enoki|debug",
    "err INFO   |enoki|info",
    "err INFO   |orders|info",
    "err INFO   |orders.slow|info",
    "err WARNING|enoki|warning",
    "err WARNING|orders|warning",
    "err WARNING|orders.slow|warning",
    "err WARNING|other|warning",
    "err ERROR  |enoki|error",
    "out error",
    "err ERROR  |orders|error",
    "out error",
    "err ERROR  |orders.slow|error",
    "out error",
    "err ERROR  |other|error",
  ]);
});

Deno.test("a service makes no records that its logger does not want", async () => {
  using kept = await logged(NAMEKO);
  configureLogging({ routes: kept.logging });
  try {
    deepStrictEqual(["orders", "mail", "other"].map(logThreshold), ["info", "error", "warning"]);
    equal(isLogged("debug"), true);
  } finally {
    resetLogging();
  }
});

Deno.test("a level and a format of the command line win", async () => {
  using kept = await logged(NAMEKO, { level: "debug", format: ({ message }) => `own ${message}` });
  say(kept, "debug", "other");
  say(kept, "debug", "mail");
  deepStrictEqual(kept.lines, ["err own debug", "out own debug"]);
});

Deno.test("without handlers, the lines go where they went before", async () => {
  using kept = await logged("LOGGING: { version: 1, root: { level: INFO } }");
  say(kept, "debug");
  say(kept, "info");
  deepStrictEqual(kept.lines, ["plain info"]);
});

Deno.test("what has no effect is told in one sentence, with its lines", async () => {
  using kept = await logged(`
LOGGING:
  version: 1
  disable_existing_loggers: true
  filters: { f: { name: a } }
  formatters:
    own: { (): my.Formatter, format: "%(message)s %(lineno)d" }
  handlers:
    mail: { class: logging.handlers.SMTPHandler }
  root: { handlers: [mail] }
  loggers:
    ordres: { level: INFO }
    shop: { level: INFO }
`);
  equal(
    kept.logging.remark,
    "This part of LOGGING has no effect here: filters (line 5 of app.yaml); disable_existing_loggers " +
      "(line 4 of app.yaml); formatters.own.() (line 7 of app.yaml); lineno in formatters.own (line 7 of app.yaml); " +
      "handlers.mail (line 9 of app.yaml)",
  );
  equal(
    kept.logging.remarkOn(["orders", "shop.cart"]),
    "These loggers have no effect here: loggers.ordres (line 12 of app.yaml). Did you mean orders?. Loggers here are " +
      "orders, shop.cart, enoki, nameko",
  );
});

Deno.test("all that the page about LOGGING shows has an effect", async () => {
  const { loose: [block] } = guideBlocks({ page: "extensions/python_logging/README.md" });
  const folder = await Deno.makeTempDir({ prefix: "enoki-log-" });
  try {
    using kept = await logged(block!.text.replace("app.log", `${folder}/app.log`));
    equal(kept.logging.remark, undefined);
    equal(kept.logging.remarkOn(["orders"]), undefined);
    say(kept, "debug", "orders");
    match(kept.lines.join(), /^err 19(?:69|70)-\d\d-\d\d \d\d:\d\d:00,000 DEBUG orders debug$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a wrong part of LOGGING is refused, with its line", async () => {
  const wrong: readonly (readonly [yaml: string, message: RegExp])[] = [
    ["LOGGING:\n  root: { level: LOUD }", /"LOGGING\.root\.level" in line 2 of app\.yaml: got "LOUD"/],
    ["LOGGING:\n  root: { handlers: [a] }", /"LOGGING\.root\.handlers" in line 2/],
    ["LOGGING:\n  handlers: { a: { formatter: x } }", /"LOGGING\.handlers\.a\.formatter" in line 2/],
    [
      "LOGGING: { handlers: { a: { class: logging.FileHandler, filename: /no/such/folder/x.log } } }",
      /Cannot write log file "\/no\/such\/folder\/x\.log" of LOGGING/,
    ],
    ["LOGGING: { formatters: { a: { style: '#' } } }", /"LOGGING\.formatters\.a\.style"/],
  ];
  for (const [yaml, message] of wrong) {
    const problem = await logged(yaml).then(() => undefined, (error) => error);
    throws(() => {
      throw problem;
    }, { name: "ConfigurationError", message });
  }
});

Deno.test("SysLogHandler sends lines to a server by UDP, with their priority", async () => {
  await using server = await receiveDatagrams();
  using kept = await logged(
    `LOGGING: { handlers: { s: { class: logging.handlers.SysLogHandler, address: [127.0.0.1, ${
      new URL(server.uri).port
    }], ` +
      "facility: local1 } }, root: { handlers: [s] } }",
  );
  say(kept, "error", "orders");
  match(await server.next(), /^<139>error\0$/);
});
