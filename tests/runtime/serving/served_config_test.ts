import { deepStrictEqual } from "node:assert/strict";
import type { Config } from "../../../runtime/config/file.ts";
import { Section } from "../../../runtime/config/section.ts";
import { hostConfig, threadConfig } from "../../../runtime/serving/served_config.ts";
import { runtimeSettings, serviceSettings } from "../../../runtime/serving/settings.ts";

const CONFIG: Config = {
  AMQP_URI: "amqp://u:p@host",
  TRANSPORT: "local:",
  AMQP_SSL: { keyfile: "key.pem" },
  HTTP_TLS: { cert: "cert.pem", key: "key.pem" },
  modules: { headers: { "example.com": { authorization: "x" } } },
  env: { REDIS_URL: "redis://u:p@host" },
  CURRENCY: "EUR",
  LIMIT: 3,
  services: {
    shop: { config: { STRIPE_KEY: "s", CURRENCY: "USD" }, env: { PGPASSWORD: "p" }, max_workers: 2 },
    strict: { config: { OWN: 1 }, config_keys: ["CURRENCY", "AMQP_URI", "absent"] },
    closed: { config_keys: [] },
  },
};

function seenBy(service: string) {
  return threadConfig(CONFIG, serviceSettings(runtimeSettings(new Section(CONFIG)), service));
}

const OTHERS = {
  shop: { max_workers: 2 },
  strict: { config_keys: ["CURRENCY", "AMQP_URI", "absent"] },
  closed: { config_keys: [] },
};

Deno.test("threadConfig() leaves out connections, environment variables and the keys that only another service has", () => {
  deepStrictEqual(seenBy("any"), { CURRENCY: "EUR", LIMIT: 3, services: OTHERS });
});

Deno.test("threadConfig() puts a service's own keys on top", () => {
  deepStrictEqual(seenBy("shop"), { CURRENCY: "USD", LIMIT: 3, STRIPE_KEY: "s", services: OTHERS });
});

Deno.test("threadConfig() shows only the keys that are allowed, and the service's own", () => {
  deepStrictEqual(seenBy("strict"), { CURRENCY: "EUR", OWN: 1 });
  deepStrictEqual(seenBy("closed"), {});
});

Deno.test("hostConfig() leaves out how modules are fetched, and has a service's own keys on top", () => {
  const { modules: _, ...others } = CONFIG;
  const own = serviceSettings(runtimeSettings(new Section(CONFIG)), "shop");
  deepStrictEqual(hostConfig(CONFIG, own), { ...others, CURRENCY: "USD", STRIPE_KEY: "s" });
});
