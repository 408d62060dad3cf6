import assert from "node:assert/strict";
import { bayeux } from "../../../extensions/bayeux/mod.ts";
import { channelFault, matchesChannel } from "../../../extensions/bayeux/channel_pattern.ts";

Deno.test("channelFault() lets in what one can subscribe to", () => {
  for (
    const channel of ["/a", "/a/b", "/a/*", "/a/**", "/*", "/**", "/service/x", "/a-b_c!~($)@1", "/ö/.x"]
  ) {
    assert.equal(channelFault(channel), undefined, channel);
  }
});

Deno.test("channelFault() says what is wrong with a channel", () => {
  for (
    const [channel, fault] of [
      ["", /begins with a slash/],
      ["a/b", /begins with a slash/],
      ["/", /empty segment/],
      ["/a/", /empty segment/],
      ["/a//b", /empty segment/],
      ["/meta/connect", /belong to the protocol/],
      ["/meta/**", /belong to the protocol/],
      ["/a/*/b", /wildcard/],
      ["/a/***", /wildcard/],
      ["/a/b*", /wildcard/],
      ["/a b", /has a character/],
      [`/${"a".repeat(1_001)}`, /longer than 1000/],
      [undefined, /a channel is a text/],
      [{}, /a channel is a text/],
    ] as const
  ) assert.match(channelFault(channel) ?? "", fault, String(channel));
});

Deno.test("matchesChannel() takes * for one segment and ** for one or more", () => {
  for (
    const [pattern, channel, matches] of [
      ["/a", "/a", true],
      ["/a", "/a/b", false],
      ["/a/*", "/a/b", true],
      ["/a/*", "/a/b/c", false],
      ["/a/*", "/a", false],
      ["/a/*", "/a/", false],
      ["/a/*", "/ab/c", false],
      ["/a/**", "/a/b/c", true],
      ["/a/**", "/a", false],
      ["/*", "/a", true],
      ["/**", "/a/b", true],
    ] as const
  ) assert.equal(matchesChannel(pattern, channel), matches, `${pattern} ${channel}`);
});

Deno.test("bayeux() refuses channels and options that are wrong, with a sentence", () => {
  assert.throws(() => bayeux("prices"), {
    name: "TypeError",
    message: 'Cannot subscribe to Bayeux channel "prices": a channel begins with a slash, such as /foo/bar',
  });
  // @ts-expect-error -- there is no such option
  assert.throws(() => bayeux("/x", { retry: {} }), {
    message:
      'Cannot subscribe to Bayeux channel "/x": it has no option "retry". Its options are expected, redact, timeout',
  });
  assert.throws(() => bayeux("/x", { timeout: 0 }), RangeError);
});
