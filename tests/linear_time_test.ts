/**
 * Work on a text from outside grows with the length of the text and not faster: otherwise one request, one
 * message or one line of the log stops the main thread for seconds.
 */
import { ok } from "node:assert/strict";
import { reasonOf } from "../extensions/amqp/refusal.ts";
import { parseValue } from "../extensions/cli/flags/call_arguments.ts";
import { parseListenAddress } from "../extensions/http/listening/listen_address.ts";
import { AllowedHosts, isAllowedHost } from "../extensions/http/request/allowed_hosts.ts";
import { traceparentOf } from "../extensions/http/request/trace_context.ts";
import { folderPath, pathOf, UrlCheck } from "../extensions/http/request/url.ts";
import { normalizePath } from "../extensions/http/routing/percent_encoding.ts";
import { Router } from "../extensions/http/routing/router.ts";
import { parseRule } from "../extensions/http/routing/rule.ts";
import { topicMatches } from "../extensions/memory/topic_pattern.ts";
import { decodeEnvelope } from "../extensions/websocket/wire.ts";
import { expandReferences, lookupBudget, mayHoldReference } from "../runtime/config/references.ts";
import { resolvePlainScalar } from "../runtime/config/scalar.ts";
import { createLog } from "../runtime/log/log.ts";
import { formatJsonLine, formatPrettyLine } from "../runtime/log/log_line.ts";
import { isSecretKey, maskSecrets, maskTextSecrets, maskUrl } from "../runtime/log/secrets.ts";
import { decodeCallHeaders } from "../runtime/message/call_headers.ts";
import { decodeJson, decodeJsonRoughly } from "../runtime/message/codec.ts";
import { transportableBody } from "../runtime/message/payload/transportable_body.ts";
import { parseContentType } from "../runtime/message/serializer.ts";
import { ModuleOrigins } from "../runtime/module/fetch/origins.ts";
import { decodeModule } from "../runtime/module/fetch/source.ts";
import { ownModule } from "../runtime/program/own_modules.ts";
import { markedNames, mayHaveSignature, wordsOf } from "../runtime/service/declared/optional_marks.ts";
import { declarationsIn } from "../runtime/service/declared/optional_reader.ts";
import { explainDenial } from "../runtime/thread/denial.ts";
import { processorTime } from "./fixtures/thread_usage.ts";
import { parse } from "npm:@babel/parser@8.1.3";

/** Characters of the longer text, and how many times longer it is than the shorter one. */
const LENGTH = 65_536;
const FACTOR = 8;

/** Linear work takes {@linkcode FACTOR} times as long, quadratic work the square of that. */
const MOST = 24;

/** Milliseconds: what takes less at the longer length stops nobody, and cannot be measured well. */
const FLOOR = 50;

const ROUNDS = 20;

/** What an attacker repeats. */
const REPEATED = [
  ...[
    " ",
    "\t",
    "\n",
    "\r\n",
    "/",
    "\\",
    "-",
    "=",
    '"',
    "'",
    "1",
    ":",
    ";",
    ",",
    ".",
    "%",
    "@",
    "<",
    "(",
    "[",
    "{",
    "*",
    "#",
  ],
  ...[
    "a-",
    "a=",
    "a:",
    "a.",
    "#.",
    "*.",
    "1.",
    "a,",
    "; ",
    " ;",
    " =",
    '\\"',
    '"\\',
    '"\\\\',
    "-a=",
    "/a",
    "//",
    "/ ",
    "\\/",
  ],
  ...[
    "://",
    "a://",
    "a://b:",
    "a://b:1@",
    "a://b:c@ ",
    "amqp://a:1",
    "a+",
    "token=",
    'token="',
    "token='\"",
    "secret-",
    "pwd",
  ],
  ...["NaN", "NaN,", '"NaN', "Infinity", "-Infinity,", "1NaN", "[1,", '{"a":', '"__type__"', "\ufeff"],
  ...[
    "%41",
    "%2f",
    "%",
    "&token=",
    "&a",
    "?a",
    "${",
    "${a",
    "${a:",
    "${a:{",
    "}",
    "}}",
    "<a",
    "<a:",
    ">",
    "a(",
    ")",
  ],
  ...[
    'Requires read access to "',
    "Requires sys access to <",
    'with message "',
    "for url (",
    "): ",
    "é",
    "\ud83d",
    "\u2028",
  ],
];

/** The texts of one length, by what they repeat. */
function textsOf(repeated: string, length: number): readonly string[] {
  const text = repeated.repeat(Math.ceil(length / repeated.length)).slice(0, length);
  return [`${text}\0`, `NaN "${text}`];
}

const ROUTER = new Router<string>();
for (
  const rule of [
    "/",
    "/a/:id/b/:name",
    "/a/<path:rest>",
    "/<int:one>-<float:two>/<uuid:three>",
    "/<a>-<b>-<c>/",
    "/o/<path:from>/<path:to>/end",
  ]
) ROUTER.add("GET", parseRule(rule), rule, String);

const HOSTS = new AllowedHosts([".example.org", "b", "1.2.3.4:80"]);

const SILENT = createLog({ emit: () => {} });

/** What reads texts from outside, each with the text as a part of what it reads. */
const READERS: { readonly [name: string]: (text: string) => unknown } = {
  "maskTextSecrets()": (text) => maskTextSecrets(text) + maskTextSecrets(text, true),
  "maskUrl()": (text) => maskUrl(`https://h/?${text}`),
  "maskSecrets()": (text) => maskSecrets({ [text]: [text] }),
  "isSecretKey()": isSecretKey,
  "a log": (text) => SILENT.info(text, { [text]: text, error: new Error(text) }),
  "formatJsonLine()": (text) =>
    formatJsonLine({ level: "info", message: text, properties: { [text]: text } }),
  "formatPrettyLine()": (text) =>
    formatPrettyLine({
      level: "info",
      message: text,
      properties: { [text]: text },
      error: { name: "Error", message: text },
    }, false),
  "decodeJson() of a text": decodeJson,
  "decodeJson() of a list": (text) => decodeJson(`[NaN,${text}]`),
  "decodeJson() of a string": (text) => decodeJson(`[NaN,"${text}`),
  "decodeJson() of a tagged value": (text) => decodeJson(`{"__type__":"base64","__value__":"${text}"}`),
  "decodeJson() of a number": (text) => decodeJson(`[NaN,-0.${text}]`),
  "decodeJsonRoughly()": (text) => decodeJsonRoughly(`[NaN,"${text}`),
  "decodeEnvelope()": (text) => decodeEnvelope(`{"method":NaN,"correlation_id":[${text}]}`),
  "parseContentType()": (text) => parseContentType(`application/json${text}`),
  "transportableBody()": (text) =>
    transportableBody(new TextEncoder().encode(text), `application/json${text}`, false),
  "decodeCallHeaders()": (text) => decodeCallHeaders({ [text]: text, "nameko.enoki_deadline": text }),
  "folderPath()": folderPath,
  "pathOf()": (text) => pathOf(`http://h${text}`),
  "UrlCheck.check()": (text) => new UrlCheck(HOSTS).check(`http://${text}/`, text),
  "isAllowedHost()": isAllowedHost,
  "normalizePath()": normalizePath,
  "Router.find()": (text) => {
    for (const start of ["/", "/a/", "/a/x/b/", "/b/", "/b/z/x/", "/1-", "/1-1", "/o/a/"]) {
      ROUTER.find("GET", start + text);
    }
  },
  "parseListenAddress()": parseListenAddress,
  "traceparentOf()": (text) => traceparentOf(["traceparent", `00-${text}`]),
  "topicMatches()": (text) => topicMatches("#.a.#.b.*.#.c", text),
  "reasonOf()": reasonOf,
  "parseValue()": parseValue,
  "mayHoldReference()": mayHoldReference,
  "expandReferences()": (text) => expandReferences(text, new Map(), lookupBudget()),
  "resolvePlainScalar()": resolvePlainScalar,
  "decodeModule()": (text) =>
    decodeModule({
      url: "https://h/a.ts",
      contentType: `text/plain${text}`,
      bytes: new TextEncoder().encode(text),
      sha256: "",
    }, "a"),
  "ownModule()": ownModule,
  "markedNames()": markedNames,
  "mayHaveSignature()": mayHaveSignature,
  "wordsOf()": wordsOf,
  "declarationsIn()": (text) => declarationsIn({ url: "a.ts", language: "ts", text }, parse),
  "ModuleOrigins": (text) => new ModuleOrigins({ allowed: [text] } as never),
  "explainDenial()": (text) => explainDenial(new Error(text), "a"),
};

/** Returns the time that this thread was on a processor: it depends on nothing else that runs at the same time. */
function milliseconds(read: (text: string) => unknown, text: string): number {
  const begin = processorTime();
  try {
    read(text);
  } catch {
    // A refusal is as good as a result, as long as it comes in time.
  }
  return processorTime() - begin;
}

/** Returns how many times longer the longer text takes, in the round that says the least. */
function growth(read: (text: string) => unknown, short: string, long: string): number {
  let shortest = Infinity;
  let longest = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    longest = Math.min(longest, milliseconds(read, long));
    if (longest < FLOOR) return 0;
    shortest = Math.min(shortest, milliseconds(read, short));
    if (longest / shortest <= MOST) break;
  }
  return longest / shortest;
}

for (const [name, read] of Object.entries(READERS)) {
  Deno.test(`${name} takes time in proportion to the length of the text`, () => {
    for (const repeated of REPEATED) {
      const short = textsOf(repeated, LENGTH / FACTOR);
      for (const [index, long] of textsOf(repeated, LENGTH).entries()) {
        const times = growth(read, short[index]!, long);
        ok(times <= MOST, `${JSON.stringify(long.slice(0, 40))} takes ${times.toFixed(1)} times as long`);
      }
    }
  });
}
