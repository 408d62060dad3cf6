import assert from "node:assert/strict";
import { Section } from "../../../runtime/config/section.ts";
import { bayeuxSettings } from "../../../extensions/bayeux/settings.ts";

const read = (values: Record<string, string | number | object>) =>
  bayeuxSettings(new Section({ BAYEUX: values } as never));

Deno.test("bayeuxSettings() has the defaults of nameko-bayeux-client", () => {
  const { server, version, minimumVersion, authorization } = bayeuxSettings(new Section({}));
  assert.deepEqual([server.href, version, minimumVersion, authorization], [
    "http://localhost/cometd",
    "1.0",
    "1.0",
    undefined,
  ]);
});

Deno.test("bayeuxSettings() makes a header of user and password in the URI", () => {
  const { server, authorization } = read({ SERVER_URI: "https://ann:p%C3%A4ss@example.com/cometd" });
  assert.equal(server.href, "https://example.com/cometd");
  assert.equal(authorization, `Basic ${new TextEncoder().encode("ann:päss").toBase64()}`);
});

Deno.test("bayeuxSettings() prefers AUTHORIZATION to the URI", () => {
  const given = { SERVER_URI: "http://ann:pass@localhost/", AUTHORIZATION: "Bearer x" };
  assert.equal(read(given).authorization, "Bearer x");
});

Deno.test("bayeuxSettings() refuses wrong values, without secrets", () => {
  for (
    const [values, message] of [
      [{ SERVER_URI: "ftp://ann:pass@x" }, /"BAYEUX.SERVER_URI": got "ftp:\/\/ann:\*+@x", expected a URI/],
      [{ SERVER_URI: "nowhere" }, /"BAYEUX.SERVER_URI": got "nowhere"/],
      [{ AUTHORIZATION: "Bearer a\nb" }, /"BAYEUX.AUTHORIZATION": got \*+, expected a header/],
      [{ EXT: "token" }, /"BAYEUX.EXT": got "token", expected a mapping/],
      [{ VERSION: 1 }, /"BAYEUX.VERSION": got 1, expected a version in quotes, such as "1.0"/],
      [{ MAX_CALLS: 0 }, /"BAYEUX.MAX_CALLS": got 0/],
      [{ RETRY_INTERVAL: "1 sec" }, /"BAYEUX.RETRY_INTERVAL": got "1 sec"/],
      [
        { SERVER: "http://x" },
        /"BAYEUX.SERVER": got "http:\/\/x", expected nothing: the keys here are SERVER_/,
      ],
    ] as const
  ) assert.throws(() => read(values), { name: "ConfigurationError", message });
});
