import { rpc, service } from "../../mod.ts";

/** Steps of a computation that takes about two milliseconds. */
const STEPS = 2_000_000;

export default service("bench_cores", {
  entrypoints: { nothing: rpc(), compute: rpc() },
  handlers: {
    nothing() {},
    compute() {
      let number = 1;
      for (let step = 0; step < STEPS; step++) number = (Math.imul(number, 31) + step) | 0;
      return number;
    },
  },
});
