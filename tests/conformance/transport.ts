/**
 * The laws of `runtime/transport.ts`, registered as tests for one implementation.
 *
 * Where the interface leaves a question open, RabbitMQ 3.10 with classic queues has answered it. The broker may
 * be shared with strangers: all names are unique, and every test removes the queues and exchanges it made.
 */
import { consumingLaws } from "./consuming_laws.ts";
import { contentLaws } from "./content_laws.ts";
import { countingLaws } from "./counting_laws.ts";
import { declaringLaws } from "./declaring_laws.ts";
import { endingLaws } from "./ending_laws.ts";
import { expiringLaws } from "./expiring_laws.ts";
import { publishingLaws } from "./publishing_laws.ts";
import { recoveringLaws } from "./recovering_laws.ts";
import { routingLaws } from "./routing_laws.ts";
import { type BrokerUnderTest, type Law, Stage } from "./stage.ts";
export type { BrokerUnderTest } from "./stage.ts";

/** What an implementation can show beyond the laws that bind all. */
export interface TransportCapabilities {
  /** Registers the laws of recovery, which need {@linkcode BrokerUnderTest.sever}. @default {false} */
  readonly recovery?: boolean;
}

/**
 * Registers one `Deno.test` for each law of a transport, each with a broker of its own from `open`.
 *
 * @param name What comes first in the name of every test, such as `amqp`
 * @param open Prepares the broker of one test; disposed at its end, after all of its transports
 */
export function transportConformance(
  name: string,
  open: () => Promise<BrokerUnderTest>,
  { recovery = false }: TransportCapabilities = {},
): void {
  const law: Law = (text, proof) => {
    Deno.test(`${name}: ${text}`, async () => {
      await using broker = await open();
      await using stage = new Stage(broker);
      await proof(stage);
    });
  };
  declaringLaws(law);
  countingLaws(law);
  publishingLaws(law);
  routingLaws(law);
  contentLaws(law);
  consumingLaws(law);
  endingLaws(law);
  expiringLaws(law);
  if (recovery) recoveringLaws(law);
}
