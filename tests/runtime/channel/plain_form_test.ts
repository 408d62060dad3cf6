import assert from "node:assert/strict";
import { plainFrame, plainMessage } from "../../../runtime/channel/frames/plain_form.ts";
import { type Frame, FrameKind } from "../../../runtime/channel/frames/frame_stream.ts";

const passed = (message: unknown): unknown => plainMessage(plainFrame(message));

Deno.test("a message that is no record arrives as it was sent", () => {
  const message = {
    texts: ["", "é€😀", "x".repeat(5_000), "y".repeat(5_000), `\ud800${"z".repeat(5_000)}`],
    bytes: [new Uint8Array([1, 2]), new Uint8Array(), new Uint8Array(70_000).fill(7)],
    numbers: [0, -0, 1.5, NaN, Infinity, -Infinity, 2 ** 53],
    dates: [new Date(0), new Date(NaN)],
    big: -12345678901234567890n,
    nothing: [undefined, null],
    "": { "": ["bytes", 0, 1] },
    ...JSON.parse('{"__proto__":{"a":1},"then":1}'),
  };
  const arrived = passed(message);
  assert.deepEqual(arrived, message);
  assert.equal(Object.getPrototypeOf(arrived), Object.prototype);
});

Deno.test("a message of other classes arrives without their content", () => {
  assert.deepEqual(passed({ map: new Map([[1, 2]]), pattern: /a/ }), { map: {}, pattern: {} });
});

Deno.test("a message that contains itself arrives as one that is nested too deep", () => {
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  let depth = 0;
  for (let at = passed(cycle) as typeof cycle | null; at; at = at["self"] as typeof cycle) depth++;
  assert.equal(depth, 128);
});

Deno.test("a message that would take long to read is not sent", () => {
  const wide: unknown[] = [];
  for (let level = 0; level < 30; level++) wide.push(wide);
  for (const message of [wide, new Array(4e9), ["x".repeat(1_000)].concat(new Array(900_000).fill("ab"))]) {
    assert.throws(() => plainFrame({ message }), /^RangeError: Cannot send a message: it is too large$/);
  }
});

Deno.test("JSON that is too long is refused before it is read", () => {
  const text = `[${"{},".repeat(2_000_000)}{}]`;
  const head = new Uint8Array(new Uint32Array([text.length]).buffer);
  const frame: Frame = { kind: FrameKind.plain, head, text };
  assert.throws(() => plainMessage(frame), /^RangeError: Cannot read a message: it has another form$/);
});
