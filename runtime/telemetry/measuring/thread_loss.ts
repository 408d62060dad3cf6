/** Why a thread was lost, in a few classes. */
export type ThreadLoss = "exit" | "memory" | "timeout" | "silence" | "message" | "error";

/** The beginnings of the reasons that the pool and the spawners of threads give. */
const REASONS: readonly (readonly [RegExp, ThreadLoss])[] = [
  [/^the service called Deno\.exit\(/, "exit"],
  [/^it needed more than \d+ MiB/, "memory"],
  [/^a call did not end \d+ ms after/, "timeout"],
  [/^it gave no sign of life for/, "silence"],
  [/^it sent a message out of form|^one of its messages could not be handled/, "message"],
];

/** All classes of losses. */
export const THREAD_LOSSES: readonly ThreadLoss[] = [...REASONS.map(([, loss]) => loss), "error"];

/** Returns the class of a reason. What is none of the known reasons is an error that nobody caught. */
export function lossOf(reason: string): ThreadLoss {
  return REASONS.find(([pattern]) => pattern.test(reason))?.[1] ?? "error";
}
