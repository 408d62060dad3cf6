import assert from "node:assert/strict";
import { EXIT, reportFailure } from "../../extensions/cli/view/failure_report.ts";
import {
  BrokerError,
  CallError,
  ConfigurationError,
  ExtensionError,
  RemoteError,
  ServiceLoadError,
} from "../../runtime/message/errors.ts";

Deno.test("reportFailure() shows the stack of what is no error of ours, without passwords", () => {
  const { status, text } = reportFailure(new TypeError("no amqp://ada:secret@host here"));
  assert.equal(status, EXIT.bug);
  assert.match(
    text,
    /^This is a bug of Enoki, please report it: TypeError: no amqp:\/\/ada:\*+@host here\n +at /,
  );
});

Deno.test("reportFailure() takes a thrown value that is no error", () => {
  assert.equal(reportFailure("oops").text, "This is a bug of Enoki, please report it: oops");
});

Deno.test("reportFailure() gives each of our errors its status", () => {
  const statusOf = (error: Error) => reportFailure(error).status;
  assert.equal(statusOf(new ConfigurationError("x")), EXIT.usage);
  assert.equal(statusOf(new ExtensionError("x")), EXIT.usage);
  assert.equal(statusOf(new BrokerError("x")), EXIT.unreachable);
  assert.equal(statusOf(new RemoteError("MyError", "boom")), EXIT.remoteFailure);
  assert.equal(statusOf(new CallError("x", { code: "Y" })), EXIT.remoteFailure);
});

Deno.test("reportFailure() leaves our frames out of what a module threw", () => {
  const frame = (path: string) => `\n    at f (${new URL(path, import.meta.url).href}:1:1)`;
  const ours = frame("../../runtime/service/service.ts") + frame("../../extensions/events/event.ts");
  const error = new ServiceLoadError("x", { thrownStack: `TypeError: no${ours}${frame("./orders.ts")}` });
  assert.equal(reportFailure(error).text, `Cannot load the service: TypeError: no${frame("./orders.ts")}`);
});

Deno.test("reportFailure() leaves out what the compiler makes of decorators", () => {
  const frame = (name: string) => `\n    at ${name} (file:///orders.ts:76:14)`;
  const compilers = [
    "memberDec",
    "applyMemberDec",
    "applyMemberDecs",
    "applyDecs2203R",
    "_apply_decs_2203_r",
  ];
  const error = new ServiceLoadError("x", {
    thrownStack: `TypeError: no${compilers.map(frame).join("")}${frame("Orders.<static_initializer>")}`,
  });
  assert.equal(
    reportFailure(error).text,
    `Cannot load the service: TypeError: no${frame("Orders.<static_initializer>")}`,
  );
});

Deno.test("reportFailure() shows where an extension has thrown, down to our first frame", () => {
  const cause = new RangeError("no");
  const frame = (path: string) => `\n    at f (${new URL(path, import.meta.url).href}:1:1)`;
  const denos = "\n    at listen (ext:deno_net/01_net.js:1:1)";
  cause.stack = `RangeError: no${denos}${frame("./lines.ts")}${frame("../../runtime/hosting/extension.ts")}${
    frame("./x.ts")
  }`;
  const error = new ExtensionError("Cannot serve: RangeError: no", { cause });
  assert.equal(reportFailure(error).text, `Cannot serve: RangeError: no${frame("./lines.ts")}`);
  assert.equal(reportFailure(new ExtensionError("Cannot serve", { cause: "no" })).text, "Cannot serve");
});
