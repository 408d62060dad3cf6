import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Circuit, type CircuitNumbers } from "../../../../extensions/rpc/resilience/circuit.ts";

/** A circuit with the states that it has told. */
function circuitOf(numbers: Partial<CircuitNumbers>) {
  const states: string[] = [];
  const circuit = new Circuit({ open: 60_000, halfOpen: 1, ...numbers }, (state) => states.push(state));
  const end = (...verdicts: readonly ("succeeded" | "failed" | undefined)[]) => {
    for (const verdict of verdicts) circuit.admit()(verdict);
  };
  return { circuit, states, end };
}

/** A time at which each circuit here may be tried again. */
const LATER = performance.now() + 3_600_000;

Deno.test("a circuit opens after so many failures in a row, and not before", () => {
  const { circuit, states, end } = circuitOf({ failures: 3 });
  end("failed", "failed", "succeeded", "failed", undefined, "failed");
  strictEqual(circuit.closedFor(), undefined);
  end("failed");
  deepStrictEqual(states, ["open"]);
  const closedFor = circuit.closedFor()!;
  ok(closedFor > 59_000 && closedFor <= 60_000, String(closedFor));
  strictEqual(circuit.closedFor(LATER), undefined);
});

Deno.test("a circuit opens when a share of the latest calls has failed", () => {
  const { states, end } = circuitOf({ ratio: 0.5, minimum: 4 });
  end("failed", "succeeded", "failed");
  deepStrictEqual(states, []);
  const { states: later, end: endLater } = circuitOf({ ratio: 0.5, minimum: 4 });
  // The oldest failures count no more.
  endLater("failed", "succeeded", "succeeded", "succeeded", "failed", "succeeded", "succeeded");
  deepStrictEqual(later, []);
  endLater("failed");
  deepStrictEqual(later, ["open"]);
});

Deno.test("a half-open circuit closes after its probes, opens after one that fails, and forgets those given up", () => {
  const { circuit, states, end } = circuitOf({ failures: 1, halfOpen: 2 });
  const former = circuit.admit();
  end("failed");
  const [one, two] = [circuit.admit(), circuit.admit()];
  strictEqual(circuit.closedFor(LATER), 0);
  two(undefined);
  strictEqual(circuit.closedFor(LATER), undefined);
  const three = circuit.admit();
  // A call from before the circuit opened tells of the past.
  former("failed");
  one("succeeded");
  strictEqual(circuit.state, "half-open");
  three("succeeded");
  deepStrictEqual(states, ["open", "half-open", "closed"]);
  end("failed", "failed");
  deepStrictEqual(states.slice(3), ["open", "half-open", "open"]);
});
