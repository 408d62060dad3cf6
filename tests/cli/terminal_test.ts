import assert from "node:assert/strict";
import { alignColumns } from "../../extensions/cli/view/service_listing.ts";
import { reportFailure } from "../../extensions/cli/view/failure_report.ts";
import { local } from "../../extensions/local/mod.ts";
import { bury } from "../../runtime/hosting/message_fate.ts";
import {
  BadRequestError,
  BrokerError,
  CallError,
  ConfigurationError,
  RemoteError,
} from "../../runtime/message/errors.ts";
import { enoki, withBroker } from "./command.ts";

/** A text that clears the terminal, sets its title, and forges a line. */
const HOSTILE = "\x1b[2J\x1b]0;title\x07\x9b31m\r\nReady\u202e";

// deno-lint-ignore no-control-regex -- these are the characters that must not come out
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/;

Deno.test("reportFailure() shows what others have said in one line, without control characters", () => {
  for (
    const error of [
      new RemoteError(HOSTILE, HOSTILE),
      new BadRequestError(HOSTILE),
      new CallError(HOSTILE, { code: "X" }),
      new BrokerError(HOSTILE),
    ]
  ) {
    const { text } = reportFailure(error);
    assert.doesNotMatch(text, CONTROL);
    assert.doesNotMatch(text, /\n/);
  }
  assert.doesNotMatch(reportFailure(new ConfigurationError(HOSTILE)).text, CONTROL);
  assert.doesNotMatch(reportFailure(new TypeError(HOSTILE)).text, CONTROL);
});

Deno.test("reportFailure() masks secrets in what others have said", () => {
  const { text } = reportFailure(
    new RemoteError("OperationalError", "no postgres://app:hunter2@db", { data: { password: "hunter3" } }),
  );
  assert.doesNotMatch(text, /hunter/);
});

Deno.test("alignColumns() escapes control characters before it aligns", () => {
  assert.equal(alignColumns([["\x1b", "b"], ["long one", "c"]], ""), "\\u001b    b\nlong one  c");
});

Deno.test("enoki dead show and list print no control characters of a message", () =>
  withBroker(async (broker) => {
    await using transport = local({ address: broker });
    await transport.connect();
    await transport.declare({ queues: [{ name: "jobs" }] });
    await bury(
      { transport, queue: "jobs", signal: new AbortController().signal },
      {
        exchange: HOSTILE,
        routingKey: HOSTILE,
        redelivered: false,
        signal: new AbortController().signal,
        body: new TextEncoder().encode(`one\n\ttwo${HOSTILE}`),
        properties: { contentType: HOSTILE, headers: { [HOSTILE]: HOSTILE } },
      },
      HOSTILE as "undecodable",
      { name: "Error", message: HOSTILE, code: "ERROR", retryable: false },
    );
    const show = await enoki(["dead", "show", "--broker", broker, "jobs", "1"]);
    assert.match(show.out, /\none\n\ttwo\\u001b\[2J/);
    assert.doesNotMatch(show.out.replace("\t", ""), CONTROL);
    const list = await enoki(["dead", "list", "--broker", broker, "jobs"]);
    assert.doesNotMatch(list.out, CONTROL);
    const json = await enoki(["dead", "list", "--json", "--broker", broker, "jobs"]);
    assert.doesNotMatch(json.out, CONTROL);
    assert.equal(JSON.parse(json.out)[0].error, `Error: ${HOSTILE}`);
  }));
