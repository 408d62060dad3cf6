import { deepStrictEqual, throws } from "node:assert/strict";
import { amqpSettings } from "../../../extensions/amqp/settings.ts";
import type { Config } from "../../../runtime/config/file.ts";
import { Section } from "../../../runtime/config/section.ts";

const read = (config: Config) => amqpSettings(new Section(config));

Deno.test("amqpSettings() leaves what the configuration does not say to the transport", () => {
  deepStrictEqual(read({ HEARTBEAT: null, AMQP_SSL: false }), {
    secure: false,
    management: undefined,
    options: {},
  });
});

Deno.test("amqpSettings() reads Kombu's intervals, seconds as milliseconds", () => {
  const intervals = { interval_start: 2, interval_step: 1, interval_max: 5, max_retries: 3 };
  deepStrictEqual(read({ TRANSPORT_OPTIONS: intervals, HEARTBEAT: 30 }).options, {
    heartbeat: 30,
    retryStart: 2_000,
    retryStep: 1_000,
    retryLimit: 5_000,
  });
});

Deno.test("amqpSettings() reads the mapping of AMQP_SSL", () => {
  const ssl = { ca_certs: "ca.pem", certfile: "c.pem", keyfile: "k.pem", cert_reqs: "CERT_NONE" };
  deepStrictEqual(read({ AMQP_SSL: ssl }), {
    secure: true,
    management: undefined,
    options: { tls: { ca: "ca.pem", cert: "c.pem", key: "k.pem", verify: false } },
  });
  deepStrictEqual(read({ AMQP_SSL: true }).options, { tls: { verify: true } });
});

Deno.test("amqpSettings() reads the type of queues", () => {
  deepStrictEqual(read({ queue_type: "quorum" }).options, { queueType: "quorum" });
  throws(() => read({ queue_type: "stream" }), /"queue_type": got "stream", expected classic or quorum/);
});

Deno.test("amqpSettings() refuses what its keys cannot have", () => {
  throws(() => read({ HEARTBEAT: -1 }), /"HEARTBEAT": got -1, expected a number of seconds, 0 or more/);
  throws(() => read({ AMQP_SSL: { cipher: "x" } }), /expected true or a mapping with ca_certs/);
  throws(
    () => read({ AMQP_SSL: { cert_reqs: "X" } }),
    /"AMQP_SSL.cert_reqs": got "X", expected CERT_NONE, CERT_OPTIONAL or CERT_REQUIRED/,
  );
});
