import { Section } from "../../../../runtime/config/section.ts";
import { moduleSettings } from "../../../../runtime/module/fetch/settings.ts";
import assert from "node:assert/strict";
import type { Config } from "../../../../runtime/config/file.ts";
import { maskSecrets } from "../../../../runtime/log/secrets.ts";

function options(modules: Config) {
  return moduleSettings(new Section({ modules }).section("modules"));
}

Deno.test("moduleSettings() reads the section modules", () => {
  assert.deepEqual(
    options({
      lock: "services.lock",
      frozen: true,
      cache: "/var/cache/enoki",
      cached_only: true,
      allow_import: ["code.example", "*.internal.example:8443"],
      allow_http: true,
      headers: { "Code.Example:443": { authorization: "Bearer x", "x-unset": null } },
      ca_certs: "ca.pem",
      timeout: 2.5,
      max_size: 1_000,
      max_total_size: 2_000,
    }),
    {
      lock: { path: "services.lock", mode: "check" },
      cache: { folder: "/var/cache/enoki" },
      mode: "cached-only",
      allowImport: ["code.example", "*.internal.example:8443"],
      allowHttp: true,
      headers: { "code.example": { authorization: "Bearer x" } },
      caCerts: "ca.pem",
      timeout: 2_500,
      maxBytes: 1_000,
      maxTotalBytes: 2_000,
    },
  );
});

Deno.test("moduleSettings() leaves what section modules does not say to the defaults", () => {
  assert.deepEqual(moduleSettings(undefined), {});
  assert.deepEqual(options({ lock: "l", cache: false, reload: true, allow_import: true }), {
    lock: { path: "l", mode: "record" },
    cache: false,
    mode: "reload",
    allowHttp: false,
  });
});

Deno.test("moduleSettings() refuses what section modules cannot have", () => {
  const wrong: readonly (readonly [Config, RegExp])[] = [
    [{ allowimport: ["a"] }, /"modules.allowimport": .*the keys here are lock, frozen/],
    [{ frozen: true }, /"modules.frozen": .*pass --lock/],
    [{ reload: true, cached_only: true }, /"modules.reload": .*together with cached_only/],
    [{ allow_import: ["https://a"] }, /"modules.allow_import": .*such as example.com:443/],
    [{ headers: { "https://a": {} } }, /"modules.headers": .*a mapping of hosts/],
    [{ headers: { a: { "not a header": "x" } } }, /"modules.headers": .*a mapping of hosts/],
    [{ headers: { a: "x" } }, /"modules.headers": .*a mapping of hosts/],
    [{ max_size: 0 }, /"modules.max_size": .*1 or more/],
    [{ timeout: "soon" }, /"modules.timeout": .*a number of seconds/],
  ];
  for (const [modules, message] of wrong) {
    assert.throws(() => options(modules), { name: "ConfigurationError", message });
  }
});

Deno.test("moduleSettings() repeats no header's secret when it refuses it", () => {
  const wrong = { headers: { a: { authorization: "Bearer sesame", "not a header": "x" } } };
  assert.throws(() => options(wrong), (error: Error) => !error.message.includes("sesame"));
});

Deno.test("maskSecrets() masks the authorization for a host", () => {
  const modules = {
    headers: { "code.example": { authorization: "Bearer sesame", "x-api-key": "s", accept: "*/*" } },
  };
  assert.deepEqual(maskSecrets({ modules }), {
    modules: {
      headers: { "code.example": { authorization: "********", "x-api-key": "********", accept: "*/*" } },
    },
  });
});
