import type { Metrics } from "../../../runtime/telemetry/metrics.ts";
import type { OutboxNumbers } from "./outbox_store.ts";

/** Tells what becomes of the messages in the outbox of one service. */
export class RelayNumbers {
  readonly relayed: (count: number) => void;
  readonly set: (numbers: OutboxNumbers) => void;

  constructor(metrics: Metrics, service: string) {
    const labels = ["service"];
    const gauge = (name: string, help: string) => metrics.gauge(name, { help, labels, kept: 1 });
    const relayed = metrics.counter("enoki_outbox_relayed_total", {
      help: "Messages of the outbox that the broker has taken.",
      labels,
      kept: 1,
    }).with(service);
    const waiting = gauge(
      "enoki_outbox_waiting",
      "Messages that wait in the outbox. Only the relaying instance knows.",
    );
    const parked = gauge("enoki_outbox_parked", "Messages of the outbox that the broker has refused.");
    const oldest = gauge(
      "enoki_outbox_oldest_seconds",
      "Seconds that the oldest waiting message has waited.",
    );
    this.relayed = (count) => relayed.add(count);
    this.set = (numbers) => {
      waiting.with(service).set(numbers.waiting);
      parked.with(service).set(numbers.parked);
      oldest.with(service).set(numbers.oldest);
    };
  }
}

/** What an instance tells that does not relay. */
export const NO_NUMBERS: OutboxNumbers = { waiting: 0, parked: 0, oldest: 0 };
