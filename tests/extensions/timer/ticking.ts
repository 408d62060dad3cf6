/** Services whose ticks are messages in the queue `ENOKI_TEST_TICKS`, each with the process id of its instance. */
import { type Context, cron, provider, service, timer } from "../../../mod.ts";

const queue = Deno.env.get("ENOKI_TEST_TICKS")!;

/** Publishes that a tick has come. */
const report = provider(({ messenger }) => ({
  get: () => async (text: string) => {
    const properties = { contentType: "text/plain", headers: {}, appId: `${Deno.pid}` };
    await messenger.publish({ exchange: "", routingKey: queue, body: text, properties });
  },
}));

type TickContext = Context<{ readonly report: typeof report }>;

const reportTick = (context: TickContext) => context.report(context.call.method);

export const plain = service("enoki_test_plain", {
  dependencies: { report },
  entrypoints: {
    eager: timer({ interval: 3_600, eager: true }),
    often: timer({ interval: 0.05 }),
    second: cron("* * * * * *"),
  },
  handlers: { eager: reportTick, often: reportTick, second: reportTick },
});

export const failing = service("enoki_test_failing", {
  dependencies: { report },
  entrypoints: { fail: timer({ interval: 0.05 }), spin: timer({ interval: 0.05, timeout: 50 }) },
  handlers: {
    fail: async ({ report }) => {
      await report("fail");
      throw new Error("as expected");
    },
    spin: async ({ report }) => {
      await report("spin");
      await new Promise(() => {});
    },
  },
});

export const slow = service("enoki_test_slow", {
  dependencies: { report },
  entrypoints: { work: timer({ interval: 0.02 }) },
  handlers: {
    work: async ({ report }) => {
      await report("begin");
      await new Promise((resolve) => setTimeout(resolve, 100));
      await report("end");
    },
  },
});

export const single = service(`enoki_test_single_${queue.replaceAll(".", "_")}`, {
  dependencies: { report },
  entrypoints: { often: timer({ interval: 0.1, once: "cluster" }) },
  handlers: { often: reportTick },
});

export const unreadable = service("enoki_test_unreadable", {
  entrypoints: { never: cron("61 * * * *") },
  handlers: { never: () => {} },
});
