/**
 * Tasks that are shared by as many workers as there are.
 *
 * ```sh
 * deno run -A cli.ts run ./examples/tutorials/work_queue/service.ts:boss
 * deno run -A cli.ts run ./examples/tutorials/work_queue/service.ts:worker   # as often as you like
 * deno run -A cli.ts call boss.assign "First task..."                        # each dot takes a second
 * ```
 *
 * A task is taken off the queue when it is done, so one whose worker dies is done by another. The queue is durable
 * and messages are persistent, which both are the defaults: tasks survive a restart of the broker.
 */
import { consume, publisher, queue, rpc, service } from "@enoki/enoki";

const tasks = queue("task_queue");

export const boss = service("boss", {
  dependencies: { publish: publisher<string>({ routingKey: tasks.name, declare: [tasks] }) },
  entrypoints: { assign: rpc() },
  handlers: { assign: ({ publish }, task: string) => publish(task) },
});

export const worker = service("worker", {
  entrypoints: {
    // One task at a time: a worker that is busy is given none that a free one could do.
    work: consume<string>(tasks, { prefetch: 1 }),
  },
  handlers: {
    async work({ call }, task) {
      const seconds = task.split(".").length - 1;
      await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
      call.log.info("done", { task });
    },
  },
});
