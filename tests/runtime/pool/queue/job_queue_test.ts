import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { createJob, type Job } from "../../../../runtime/pool/job.ts";
import { JobQueue } from "../../../../runtime/pool/queue/job_queue.ts";

function jobOf(name: string, priority?: number): Job {
  const invocation = { entrypoint: 0, body: name, contentType: undefined, headers: undefined };
  return createJob(priority === undefined ? invocation : { ...invocation, priority }, () => {});
}

const names = (jobs: readonly Job[]) => jobs.map(({ invocation: { body } }) => body).join(" ");

Deno.test("calls go by priority, and those of one priority in the order of their coming", () => {
  const queue = new JobQueue();
  const jobs = [jobOf("a"), jobOf("b", 2), jobOf("c", -1), jobOf("d"), jobOf("e", 2), jobOf("f", 7)];
  for (const job of jobs) queue.add(job);
  strictEqual(queue.oldest, jobs[0]);
  strictEqual(names(queue.takeAll()), "f b e a d c");
});

Deno.test("calls that come back go in front of their priority, and no further", () => {
  const queue = new JobQueue();
  for (const job of [jobOf("a"), jobOf("b", 2), jobOf("c", -1)]) queue.add(job);
  queue.putBack([jobOf("x"), jobOf("y"), jobOf("z", 2)]);
  strictEqual(names(queue.takeAll()), "z b x y a c");
});

Deno.test("a call that is taken out does not come again", () => {
  const queue = new JobQueue();
  const [one, other] = [jobOf("one"), jobOf("other")];
  queue.add(one);
  queue.add(other);
  deepStrictEqual([queue.remove(one), queue.remove(one), queue.first === other, queue.length], [
    true,
    false,
    true,
    1,
  ]);
});
