import { dependency, type DependencySpec } from "../../runtime/service/dependency.ts";
import type { PlainRecord } from "../../runtime/message/plain.ts";
import type { UnnamedQueue } from "./queue.ts";

/**
 * Declares a dependency that injects the name of a queue without a name, such as for the `replyTo` of a message.
 *
 * The queue is there before the first call.
 *
 * @example
 * ```ts
 * import { consume, publisher, queue, queueName, rpc, service } from "@enoki/enoki";
 *
 * const answers = queue();
 * export default service("asker", {
 *   dependencies: { publish: publisher<string>({ routingKey: "questions" }), answerTo: queueName(answers) },
 *   entrypoints: { ask: rpc(), answered: consume<string>(answers) },
 *   handlers: {
 *     ask: ({ publish, answerTo }, question: string) => publish(question, { replyTo: answerTo }),
 *     answered({ call }, answer) {
 *       call.log.info(answer);
 *     },
 *   },
 * });
 * ```
 */
export function queueName({ ordinal, topology }: UnnamedQueue): DependencySpec<string> {
  return dependency({
    kind: "queueName",
    options: { ordinal, topology } as unknown as PlainRecord,
    bind: ({ ask }) => {
      let name: string | undefined;
      return {
        // The main thread sets its half up after the first thread has started, so nobody can ask earlier.
        get: () => name ?? ask("").then((answer) => name = String(answer)),
      };
    },
  });
}
