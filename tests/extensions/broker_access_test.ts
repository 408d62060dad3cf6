import { doesNotThrow, throws } from "node:assert/strict";
import { BrokerAccess } from "../../extensions/broker_access.ts";
import type { Message } from "../../runtime/message/transport.ts";
import type { BrokerNames } from "../../runtime/serving/settings.ts";

function access(names?: BrokerNames): BrokerAccess {
  return new BrokerAccess("shop", names);
}

function message(exchange: string, routingKey: string, headers = {}): Message {
  return { exchange, routingKey, body: "", properties: { headers } };
}

/** The exchange that requests go through. */
const RPC = "nameko-rpc";

const REFUSED = { name: "ConfigurationError" };

function binding(exchange: string, routingKey: string) {
  return { bindings: [{ queue: "jobs", exchange, routingKey }] };
}

Deno.test("BrokerAccess lets a service consume its own queues, and none that belongs to others", () => {
  for (const queue of ["jobs", "rpc-shop", "rpcs", "evt-a-b--c.d", "my.enoki.x"]) {
    doesNotThrow(() => access().requireQueue(queue));
  }
  for (
    const queue of ["rpc-bank", "rpc-", "rpc-shop2", "rpc.reply-bank-1", "enoki.dead.jobs", "enoki.delay.1.q"]
  ) {
    throws(() => access().requireQueue(queue), REFUSED);
  }
});

Deno.test("BrokerAccess lets a service have no copies of requests to others", () => {
  for (const key of ["#", "*.*", "bank.*", "shop.#", "shop.bank.*", "", "shop"]) {
    throws(() => access().requireTopology(binding("nameko-rpc", key), RPC), REFUSED);
  }
  throws(() => access().requireTopology(binding("amq.rabbitmq.trace", "#"), RPC), REFUSED);
  throws(() => access().requireTopology(binding("enoki.control", ""), RPC), REFUSED);
  doesNotThrow(() => access().requireTopology(binding("nameko-rpc", "shop.*"), RPC));
  doesNotThrow(() => access().requireTopology(binding("orders", "#"), RPC));
});

Deno.test("BrokerAccess lets the operator allow what belongs to others", () => {
  const allowed = access({ consume: ["rpc-bank", "enoki.dead.*", "nameko-rpc"] });
  doesNotThrow(() => allowed.requireQueue("rpc-bank"));
  doesNotThrow(() => allowed.requireQueue("enoki.dead.jobs"));
  doesNotThrow(() => allowed.requireTopology(binding("nameko-rpc", "#"), RPC));
  throws(() => allowed.requireQueue("jobs"), REFUSED);
  throws(() => allowed.requireSource("bank.events"), REFUSED);
});

Deno.test("BrokerAccess lets a service publish everywhere as long as nothing else is said", () => {
  doesNotThrow(() => access({ consume: [] }).requireMessage(message("", "rpc-bank")));
  doesNotThrow(() => access().requireMessage(message("nameko-rpc", "bank.pay")));
});

Deno.test("BrokerAccess refuses what is published elsewhere, and names the key", () => {
  const some = access({ publish: ["shop.events", "mail-*"] });
  doesNotThrow(() => some.requireMessage(message("shop.events", "anything")));
  doesNotThrow(() => some.requireMessage(message("", "mail-out", { CC: ["mail-copy"] })));
  throws(() => some.requireMessage(message("", "rpc-bank")), {
    name: "ConfigurationError",
    message:
      'Cannot publish to queue "rpc-bank" in service "shop": config key "services.shop.broker.publish" ' +
      'does not allow it. Add "rpc-bank" to services.shop.broker.publish if it may',
  });
  throws(() => some.requireMessage(message("", "shop.events.more")), REFUSED);
  throws(() => some.requireMessage(message("nameko-rpc", "bank.pay")), REFUSED);
  throws(() => some.requireMessage(message("", "mail-out", { CC: ["rpc-bank"] })), REFUSED);
  throws(() => some.requireMessage(message("", "mail-out", { BCC: ["rpc-bank"] })), REFUSED);
  throws(() => access({ publish: [] }).requireMessage(message("", "mail-out")), REFUSED);
});

Deno.test("BrokerAccess counts a call as a message to the queue of the service", () => {
  const some = access({ publish: ["rpc-bank"] });
  doesNotThrow(() => some.requireRequest({ service: "bank", method: "pay" }));
  throws(() => some.requireRequest({ service: "stock", method: "take" }), REFUSED);
  throws(() => some.requireRequest({ service: "bank", method: "inner.pay" }), REFUSED);
  throws(() => access({ publish: [] }).requireRequest({ service: "bank", method: "pay" }), REFUSED);
});

Deno.test("BrokerAccess lets a service reply where it may publish, and not to the queues of others", () => {
  for (const queue of ["answers", "amq.gen-5", "enoki.gen-shop-5"]) {
    doesNotThrow(() => access().requireReply(message("", queue)));
  }
  for (const queue of ["rpc-bank", "rpc.reply-bank-1", "enoki.dead.jobs"]) {
    throws(() => access().requireReply(message("", queue)), {
      name: "ConfigurationError",
      message: /: it belongs to others\. Add "/,
    });
  }
  const some = access({ publish: ["answers-*", "rpc-bank"] });
  doesNotThrow(() => some.requireReply(message("", "answers-1")));
  doesNotThrow(() => some.requireReply(message("", "rpc-bank")));
  throws(() => some.requireReply(message("", "enoki.gen-shop-5")), REFUSED);
});

Deno.test("BrokerAccess lets a service bind queues of its own without a name where it may consume", () => {
  const own = { bindings: [{ queue: "", exchange: "logs", routingKey: "" }] };
  doesNotThrow(() => access({ publish: [] }).requireTopology(own, RPC));
  throws(() => access({ consume: ["jobs"] }).requireTopology(own, RPC), REFUSED);
});

Deno.test("BrokerAccess lets no declaration lead messages to where nothing may be published", () => {
  const some = access({ publish: ["shop"], consume: ["jobs", "shop"] });
  const withDeadLetters = (table: Record<string, string>) => ({
    queues: [{ name: "jobs", arguments: table }],
  });
  doesNotThrow(() => some.requireTopology(binding("shop", ""), RPC));
  doesNotThrow(() => some.requireTopology(withDeadLetters({ "x-dead-letter-exchange": "shop" }), RPC));
  throws(
    () => some.requireTopology({ bindings: [{ queue: "rpc-bank", exchange: "shop", routingKey: "" }] }, RPC),
    REFUSED,
  );
  throws(() => some.requireTopology(withDeadLetters({ "x-dead-letter-exchange": "bank" }), RPC), REFUSED);
  throws(
    () =>
      some.requireTopology(
        withDeadLetters({ "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "rpc-bank" }),
        RPC,
      ),
    REFUSED,
  );
  throws(
    () =>
      some.requireTopology({
        exchanges: [{ name: "shop", type: "fanout", arguments: { "alternate-exchange": "bank" } }],
      }, RPC),
    REFUSED,
  );
});

Deno.test("a pattern's asterisks stand for any text, also none, and nothing else is special", () => {
  const fits = (pattern: string, name: string) => {
    try {
      access({ consume: [pattern] }).requireSource(name);
      return true;
    } catch {
      return false;
    }
  };
  for (
    const [pattern, name, expected] of [
      ["*", "", true],
      ["*", "any", true],
      ["a*", "a", true],
      ["a*a", "a", false],
      ["a*a", "aa", true],
      ["a*b*c", "a-b-b-c", true],
      ["a*b*c", "acb", false],
      ["a.b", "axb", false],
      ["**", "x", true],
      ["*b", "abab", true],
      ["*ab*ab", "ab", false],
    ] as const
  ) {
    if (fits(pattern, name) !== expected) throw new Error(`${pattern} ${name}`);
  }
});
