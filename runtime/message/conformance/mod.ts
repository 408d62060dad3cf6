/**
 * This folder holds the laws of the interface `Transport`, as tests for an implementation: the door
 * `@enoki/enoki/conformance`.
 *
 * Where the interface leaves a question open, RabbitMQ 3.10 with classic queues has answered it. The broker may
 * be shared with strangers: all names are unique, and every test removes the queues and exchanges that it made.
 *
 * @module
 */
import type { Transport, TransportOptions } from "../transport.ts";
import { consumingLaws } from "./consuming_laws.ts";
import { contentLaws } from "./content_laws.ts";
import { countingLaws } from "./counting_laws.ts";
import { declaringLaws } from "./declaring_laws.ts";
import { endingLaws } from "./ending_laws.ts";
import { expiringLaws } from "./expiring_laws.ts";
import { publishingLaws } from "./publishing_laws.ts";
import { recoveringLaws } from "./recovering_laws.ts";
import { refusingLaws } from "./refusing_laws.ts";
import { routingLaws } from "./routing_laws.ts";
import { type BrokerUnderTest, type Law, Stage, type TransportFeature } from "./stage.ts";
import { streamLaws } from "./stream_laws.ts";

export type { BrokerUnderTest, TransportFeature } from "./stage.ts";

/** Options of {@linkcode testTransport}. */
export interface TestTransportOptions {
  /**
   * Features that the transport lacks. Their laws are not registered, and another law demands that the transport
   * refuses them.
   *
   * @default {[]}
   */
  readonly lacks?: readonly TransportFeature[];
  /**
   * Cuts the connection of every open transport, and resolves when they are cut. It must leave it possible to
   * connect again.
   *
   * @default {the laws of recovery are not registered}
   */
  readonly sever?: () => Promise<void>;
  /** Whether the tests are ignored, because there is no broker here. @default {false} */
  readonly ignore?: boolean;
}

/**
 * Registers one `Deno.test` for each law of a transport.
 *
 * @param name Text in front of the name of every test.
 * @param create Makes one more transport to the same broker. The test connects and closes it.
 *
 * @example
 * ```ts ignore
 * import { testTransport } from "@enoki/enoki/conformance";
 *
 * testTransport("mine", (options) => new MyTransport("mine://localhost", options), { lacks: ["priorities"] });
 * ```
 */
export function testTransport(
  name: string,
  create: (options?: TransportOptions) => Transport | Promise<Transport>,
  { sever, ...options }: TestTransportOptions = {},
): void {
  const broker: BrokerUnderTest = {
    async transport(options) {
      const transport = await create(options);
      await transport.connect();
      return transport;
    },
    ...(sever && { sever }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  testBrokers(name, () => Promise.resolve(broker), { ...options, recovery: sever !== undefined });
}

/** Options of {@linkcode testBrokers}. */
export interface TestBrokersOptions extends Omit<TestTransportOptions, "sever"> {
  /** Whether the laws of recovery hold, too. They need {@linkcode BrokerUnderTest.sever}. @default {false} */
  readonly recovery?: boolean;
}

/**
 * Registers one `Deno.test` for each law of a transport, each with a broker of its own.
 *
 * @param open Prepares the broker of one test. The test disposes it at its end, after all of its transports.
 */
export function testBrokers(
  name: string,
  open: () => Promise<BrokerUnderTest>,
  { lacks = [], recovery = false, ignore = false }: TestBrokersOptions = {},
): void {
  const register = (text: string, proof: (stage: Stage) => Promise<void>) =>
    Deno.test({
      name: `${name}: ${text}`,
      ignore,
      async fn() {
        await using broker = await open();
        await using stage = new Stage(broker);
        await proof(stage);
      },
    });
  const law: Law = Object.assign(register, {
    needing: (...features: readonly TransportFeature[]) =>
      features.some((feature) => lacks.includes(feature)) ? () => {} : register,
  });
  declaringLaws(law);
  countingLaws(law);
  publishingLaws(law);
  routingLaws(law);
  contentLaws(law);
  consumingLaws(law);
  endingLaws(law);
  expiringLaws(law);
  streamLaws(law, recovery);
  if (recovery) recoveringLaws(law);
  refusingLaws(law, lacks);
}
