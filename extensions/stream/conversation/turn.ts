/** Something that has work to do at the end of the turn. */
export interface TurnTask {
  work(): void;
}

let waiting: TurnTask[] = [];

/**
 * Lets a task work at the end of this turn of the event loop, together with the others.
 *
 * Most of what arrives in one turn becomes calls. Calls that are posted together wake their thread once, and
 * to wake a thread costs as much as a short call.
 */
export function atEndOfTurn(task: TurnTask): void {
  if (waiting.push(task) === 1) setImmediate(work);
}

function work(): void {
  const tasks = waiting;
  waiting = [];
  for (const task of tasks) task.work();
}
