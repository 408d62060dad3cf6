import { deepStrictEqual, rejects } from "node:assert/strict";
import { Turns } from "../../../runtime/waiting/turns.ts";

/** Tasks that note their beginning and end, and end when the test says so. */
class Tasks {
  readonly notes: string[] = [];
  readonly #ends = new Map<string, PromiseWithResolvers<void>>();

  task(name: string): () => Promise<string> {
    const end = Promise.withResolvers<void>();
    this.#ends.set(name, end);
    return async () => {
      this.notes.push(`${name} begins`);
      await end.promise;
      this.notes.push(`${name} ends`);
      return name;
    };
  }

  end(name: string, error?: Error): void {
    if (error === undefined) this.#ends.get(name)!.resolve();
    else this.#ends.get(name)!.reject(error);
  }
}

/** Lets everything happen that waits for nothing. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

Deno.test("Turns.take() lets tasks about one thing run in turn, also after one that fails", async () => {
  const [turns, tasks, thing] = [new Turns(), new Tasks(), {}];
  const [first, second] = [turns.take([thing], tasks.task("a")), turns.take([thing], tasks.task("b"))];
  await settled();
  deepStrictEqual(tasks.notes, ["a begins"]);
  const failed = rejects(first, /no/);
  tasks.end("a", new Error("no"));
  await failed;
  await settled();
  deepStrictEqual(tasks.notes, ["a begins", "b begins"]);
  tasks.end("b");
  deepStrictEqual(await second, "b");
});

Deno.test("Turns.take() waits for the tasks about each of its things, and for no others", async () => {
  const [turns, tasks, one, other] = [new Turns(), new Tasks(), {}, {}];
  const all = [
    turns.take([one], tasks.task("a")),
    turns.take([other], tasks.task("b")),
    turns.take([one, other], tasks.task("c")),
  ];
  await settled();
  tasks.end("a");
  await settled();
  deepStrictEqual(tasks.notes, ["a begins", "b begins", "a ends"]);
  tasks.end("b");
  tasks.end("c");
  await Promise.all(all);
  deepStrictEqual(tasks.notes.slice(3), ["b ends", "c begins", "c ends"]);
});

Deno.test("Turns.ended() waits for all tasks that are there", async () => {
  const [turns, tasks] = [new Turns(), new Tasks()];
  const failing = rejects(turns.take([{}], tasks.task("a")));
  const ended = turns.ended().then(() => tasks.notes.push("all have ended"));
  tasks.end("a", new Error("no"));
  await Promise.all([failing, ended]);
  deepStrictEqual(tasks.notes, ["a begins", "all have ended"]);
});
