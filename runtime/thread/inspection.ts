/**
 * What a thread tells of itself: a profile of its CPU time, or a snapshot of its heap.
 *
 * A thread loads this file when it is asked for the first time. V8 makes a snapshot at one go, and nothing else runs in
 * the thread meanwhile. Its text lies outside of the thread's heap, so that the limit of the heap does not end the thread.
 */
import { Buffer } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import v8 from "node:v8";
import { INSPECTION_PIECE } from "../channel/inspections.ts";
import type { FromThread, ToThread } from "../channel/port.ts";
import { describeFailure } from "../message/failure.ts";

type Inspect = Extract<ToThread, { readonly type: "inspect" }>;
type Inspected = Extract<FromThread, { readonly type: "inspected" }>;

/** Takes profiles and snapshots of this thread, and sends them in pieces, each when it is asked for. */
export class Inspection {
  readonly #post: (message: Inspected) => void;
  #result: Uint8Array = new Uint8Array();
  #sent = 0;
  #profiling: AbortController | undefined;

  constructor(post: (message: Inspected) => void) {
    this.#post = post;
  }

  /** Does the next step of an inspection. Never rejects. */
  async take({ id, step, duration }: Inspect): Promise<void> {
    try {
      if (step === "cancel") return this.#forget();
      if (step !== "next") {
        this.#forget();
        this.#result = step === "heap" ? await heapSnapshot() : await this.#profile(duration);
      }
      const piece = this.#result.slice(this.#sent, this.#sent += INSPECTION_PIECE);
      if (piece.length === 0) this.#forget();
      this.#post(piece.length === 0 ? { type: "inspected", id } : { type: "inspected", id, piece });
    } catch (error) {
      this.#post({ type: "inspected", id, failure: describeFailure(explained(error)) });
    }
  }

  #forget(): void {
    this.#profiling?.abort();
    this.#result = new Uint8Array();
    this.#sent = 0;
  }

  async #profile(duration: number): Promise<Uint8Array> {
    const { Session } = await import("node:inspector");
    const session = new Session();
    session.connect();
    const profiling = this.#profiling = new AbortController();
    const post = <Result>(method: string) =>
      new Promise<Result>((resolve, reject) =>
        session.post(method, {}, (error, result) => error ? reject(error) : resolve(result as Result))
      );
    try {
      await post("Profiler.enable");
      await post("Profiler.start");
      await sleep(duration, undefined, { signal: profiling.signal });
      const { profile } = await post<{ readonly profile: unknown }>("Profiler.stop");
      return new TextEncoder().encode(JSON.stringify(profile));
    } finally {
      session.disconnect();
    }
  }
}

async function heapSnapshot(): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of v8.getHeapSnapshot()) pieces.push(piece);
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

/** Says which permission lacks: Deno's own words name a flag that does not exist. */
function explained(error: unknown): unknown {
  if (!(error instanceof Deno.errors.NotCapable)) return error;
  return new Error(
    "the service may not use the inspector of its thread. Give it permissions: { sys: [inspector] }, or " +
      "--allow-sys=inspector",
  );
}
