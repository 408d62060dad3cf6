import { BROKERS, isMissing } from "../../fixtures/brokers.ts";
import { EventStage } from "./event_stage.ts";

/** Registers a test for each kind of broker; that for RabbitMQ is ignored where there is none. */
export function eventTest(text: string, proof: (stage: EventStage) => Promise<void>): void {
  for (const [kind, open] of Object.entries(BROKERS)) {
    Deno.test({
      name: `${kind}: ${text}`,
      ignore: isMissing(kind),
      fn: async () => {
        await using stage = new EventStage(await open());
        // A local broker lives as long as the first that came to it.
        await stage.transport();
        await proof(stage);
      },
    });
  }
}
