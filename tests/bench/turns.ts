import type { Figure } from "./figures.ts";
import type { Measurement } from "./load.ts";
import { median } from "./median.ts";

/** Something that is measured for a number of milliseconds. */
export type Side = (duration: number) => Promise<Measurement>;

/** The sides of a figure, by their names. */
export interface FigureSides {
  readonly enoki: string;
  readonly bare: string;
  readonly peers?: readonly string[];
}

/** Measurements of several sides, by their names; the sides took turns. */
export class Turns {
  readonly #rounds: readonly ReadonlyMap<string, Measurement>[];

  constructor(rounds: readonly ReadonlyMap<string, Measurement>[]) {
    this.#rounds = rounds;
  }

  /** Measures each side once in each round, so that a noisy minute hits all. */
  static async measure(sides: ReadonlyMap<string, Side>, rounds: number, duration: number): Promise<Turns> {
    const measured: Map<string, Measurement>[] = [];
    const order = [...sides];
    while (measured.length < rounds) {
      const round = new Map<string, Measurement>();
      // Each side has its turn before any other as often as after it.
      for (const [name, side] of order.reverse()) round.set(name, await side(duration));
      measured.push(round);
    }
    return new Turns(measured);
  }

  /** The median of what a side reached. */
  of(side: string, key: keyof Measurement): number {
    return median(this.#rounds.map((round) => round.get(side)![key]));
  }

  /** The median of how many times the number of `other` a side has reached in the same round. */
  ratio(side: string, other: string, key: keyof Measurement): number {
    return median(this.#rounds.map((round) => round.get(side)![key] / round.get(other)![key]));
  }

  /** The rates and the 99th percentiles of some sides, as figures. */
  figures(name: string, unit: string, sides: FigureSides): readonly Figure[] {
    return [this.#figure(name, unit, "rate", sides), this.#figure(`${name}, p99`, "ms", "p99", sides)];
  }

  #figure(
    name: string,
    unit: string,
    key: keyof Measurement,
    { enoki, bare, peers = [] }: FigureSides,
  ): Figure {
    return {
      name,
      unit,
      enoki: this.of(enoki, key),
      bare: this.of(bare, key),
      ratio: this.ratio(enoki, bare, key),
      peers: Object.fromEntries(peers.map((peer) => [peer, this.of(peer, key)])),
    };
  }
}
