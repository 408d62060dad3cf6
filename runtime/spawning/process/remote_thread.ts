import { Claims, SLOTS } from "../../channel/claims.ts";
import { FramePort } from "../../channel/frames/frame_port.ts";
import type { FrameWriter } from "../../channel/frames/frame_stream.ts";
import { KILL_LIMIT, type Thread, type ThreadOptions } from "../spawner.ts";
import type { ThreadEnd } from "./process_messages.ts";

/** What a {@linkcode RemoteThread} asks of its process. */
export interface RemoteThreadMeans {
  /** Ends the thread in the process. */
  readonly kill: () => void;
  /** Ends the process, because the thread does not end. */
  readonly killProcess: (reason: string) => void;
  /** Asks the process for calls. `onAnswer` gets the slots of those that the thread will not start. */
  readonly recall: (slots: readonly number[], onAnswer: (back: readonly number[]) => void) => void;
}

/**
 * A thread in another process.
 *
 * Invariant: the claims say of a call that it has not started only if the thread will not start it. A call that was
 * sent counts as started, until the process says otherwise.
 */
export class RemoteThread implements Thread {
  readonly name: string;
  readonly port: FramePort;
  readonly ended: Promise<string>;
  readonly #claims: Claims;
  readonly #means: RemoteThreadMeans;
  readonly #resolve: (reason: string) => void;
  /** Slots of the calls that were sent last. */
  readonly #slots: number[] = new Array(SLOTS).fill(0);
  #sent = 0;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #hasEnded = false;

  /** @param id Number of the thread in the frames. */
  constructor(id: number, { name, claims }: ThreadOptions, writer: FrameWriter, means: RemoteThreadMeans) {
    this.name = name;
    this.#claims = new Claims(claims);
    this.#means = means;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.ended = promise;
    this.#resolve = resolve;
    this.port = new FramePort(writer, id, (message) => {
      if (message.type !== "call") return;
      this.#claims.start(message.slot);
      this.#slots[this.#sent++ % SLOTS] = message.slot;
    });
  }

  /** Ends the thread, and its whole process if that does not help in time. */
  kill(): void {
    if (this.#deadline !== undefined || this.#hasEnded) return;
    this.#means.kill();
    this.#deadline = setTimeout(
      () => this.#means.killProcess(`thread "${this.name}" did not end within ${KILL_LIMIT} ms`),
      KILL_LIMIT,
    );
  }

  recall(slots: readonly number[], onAnswer: (back: ReadonlySet<number>) => void): void {
    this.#means.recall(slots, (answer) => {
      const back = answer.filter((slot) => slots.includes(slot));
      for (const slot of back) this.#claims.offer(slot);
      onAnswer(new Set(back));
    });
  }

  /** Notes that the thread has ended. Calls that the thread had not got are among those that have not started. */
  end({ reason, unstarted, received }: ThreadEnd): void {
    const lost = Math.min(SLOTS, Math.max(0, this.#sent - received));
    for (let index = this.#sent - lost; index < this.#sent; index++) {
      this.#claims.offer(this.#slots[index % SLOTS]!);
    }
    for (const slot of unstarted) this.#claims.offer(slot);
    this.fail(reason);
  }

  /** Notes that the thread has ended, and that nobody knows what it has started. */
  fail(reason: string): void {
    this.#hasEnded = true;
    clearTimeout(this.#deadline);
    this.#resolve(reason);
  }
}
