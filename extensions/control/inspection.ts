/**
 * A CPU profile or a snapshot of the heap of one thread, for Chrome's DevTools.
 *
 * It can be large, so it travels in pieces, and the instance sends only as many ahead as the asker has acknowledged.
 */
import { Buffer } from "node:buffer";
import { isRecord, type PlainRecord } from "../../runtime/message/plain.ts";
import type { ControlAnswer, ControlClient } from "./control_client.ts";
import type { ControlResponder } from "./host.ts";
import type { ControlRequest } from "./request.ts";

/** What can be taken of a thread: a profile of its CPU time, or a snapshot of its heap. */
export type InspectionSubject = "profile" | "heap";

/** A thread that can be inspected. */
export interface InspectedThread {
  /** Name such as `orders#1`. */
  readonly name: string;
  /** Number of its calls, running and waiting. */
  readonly assigned: number;
  /** Time of its last sign of life, as `performance.now()` gives it. */
  readonly heardAt: number;
  /** Yields the bytes of a profile or a snapshot, each piece when the one before was taken. */
  take(
    what: InspectionSubject,
    options: { readonly duration: number; readonly signal: AbortSignal },
  ): AsyncIterable<Uint8Array>;
}

/** Pieces that an instance sends ahead. A piece has 256 kB, and a third more in JSON. */
const AHEAD = 8;

/** Longest profile, in seconds. */
export const LONGEST_PROFILE = 600;

const TRANSFER = /^[\w-]{1,64}$/;

/** A transfer that goes on. */
interface Transfer {
  acknowledged: number;
  wake: () => void;
}

/** Makes what answers `inspect`, and `acknowledge`, with which the asker lets an instance go on. */
export function inspectionResponders(
  threadsOf: (services: readonly string[] | undefined) => readonly InspectedThread[],
): readonly (readonly [string, ControlResponder])[] {
  const transfers = new Map<string, Transfer>();
  return [
    ["inspect", {
      manages: true,
      lasting: true,
      respond: (request, signal) => tellInspection(request, threadsOf(request.services), transfers, signal),
    }],
    ["acknowledge", {
      manages: true,
      respond({ transfer, count }) {
        const known = transfers.get(String(transfer));
        if (known === undefined || typeof count !== "number") return {};
        known.acknowledged = Math.max(known.acknowledged, count);
        known.wake();
        return {};
      },
    }],
  ];
}

async function* tellInspection(
  { what, thread: name, seconds, transfer: id, services }: ControlRequest,
  threads: readonly InspectedThread[],
  transfers: Map<string, Transfer>,
  signal: AbortSignal,
): AsyncGenerator<PlainRecord, void, void> {
  if (what !== "profile" && what !== "heap") throw new TypeError("Cannot inspect: choose profile or heap");
  if (typeof id !== "string" || !TRANSFER.test(id) || transfers.has(id)) {
    throw new TypeError("Cannot inspect: the request has no id of its own");
  }
  if (typeof seconds !== "number" || !(seconds > 0 && seconds <= LONGEST_PROFILE)) {
    throw new RangeError(`Cannot inspect: a profile takes from 0 to ${LONGEST_PROFILE} seconds`);
  }
  const thread = typeof name === "string"
    ? threads.find((each) => each.name === name)
    : threads.toSorted((a, b) => b.assigned - a.assigned || b.heardAt - a.heardAt)[0];
  if (thread === undefined) {
    const which = typeof name === "string" ? `thread "${name}"` : "thread";
    throw new Error(
      `Cannot inspect: ${services?.join() ?? "the process"} has no ${which} here, only ` +
        `[${threads.map((each) => each.name).join(", ")}]`,
    );
  }
  const transfer: Transfer = { acknowledged: 0, wake() {} };
  transfers.set(id, transfer);
  const onAbort = () => transfer.wake();
  signal.addEventListener("abort", onAbort);
  try {
    yield { thread: thread.name };
    let sent = 0;
    for await (const piece of thread.take(what, { duration: seconds * 1_000, signal })) {
      while (sent - transfer.acknowledged >= AHEAD) {
        await new Promise<void>((resolve) => transfer.wake = resolve);
        signal.throwIfAborted();
      }
      yield { piece: Buffer.from(piece).toString("base64") };
      sent++;
    }
    yield { pieces: sent };
  } finally {
    signal.removeEventListener("abort", onAbort);
    transfers.delete(id);
  }
}

/** Options of {@linkcode inspectThread}. */
export interface InspectOptions {
  /** Name of the service whose thread is inspected. */
  readonly service: string;
  /** Id of the instance. */
  readonly instance: string;
  /** What is taken of the thread. */
  readonly what: InspectionSubject;
  /** Name of the thread. @default {the busiest} */
  readonly thread?: string;
  /** Seconds that a profile takes. @default {10} */
  readonly seconds?: number;
  /** Called with the name of the thread when it begins. */
  readonly onBegin?: (thread: string) => void;
  /** Aborting ends the wait. */
  readonly signal?: AbortSignal;
}

/** Milliseconds that a thread may need for a snapshot, or an instance for a piece. */
const PATIENCE = 120_000;

/** Pieces after which the asker acknowledges. */
const ACKNOWLEDGING = AHEAD / 2;

/**
 * Takes a profile or a snapshot of a thread of an instance, and yields its bytes.
 *
 * @throws {Error} If the instance refuses it, the thread cannot do it, or not all has come.
 */
export async function* inspectThread(
  client: ControlClient,
  { service, instance, what, thread, seconds = 10, onBegin, signal }: InspectOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const transfer: string = crypto.randomUUID();
  const request = {
    ask: "inspect",
    services: [service],
    instances: [instance],
    what,
    seconds,
    transfer,
    ...(thread !== undefined && { thread }),
  };
  const asking = { ...(signal && { signal }) };
  const lasting = { lasting: true, quiet: seconds * 1_000 + PATIENCE, ...asking };
  let count = 0;
  let hasBegun = false;
  for await (const answer of client.ask(request, lasting)) {
    const { begun, piece, pieces, error } = readInspection(answer);
    if (error !== undefined) throw new InspectionError(error);
    if (begun !== undefined) {
      // The process was away for so long that it has begun again.
      if (hasBegun) break;
      hasBegun = true;
      onBegin?.(begun);
    }
    if (pieces === count) return;
    if (piece === undefined) continue;
    count++;
    yield piece;
    if (count % ACKNOWLEDGING === 0) void acknowledge(client, { instance, transfer, count });
  }
  throw new InspectionError(
    "Cannot take all of it: the process has stopped to answer. Look with ps, and try again",
  );
}

/** Why there is no profile or snapshot. */
export class InspectionError extends Error {
  static {
    this.prototype.name = "InspectionError";
  }
}

/** Lets the instance go on. If that does not reach it, the next one does, or the transfer ends. */
async function acknowledge(
  client: ControlClient,
  { instance, ...acknowledged }: {
    readonly instance: string;
    readonly transfer: string;
    readonly count: number;
  },
): Promise<void> {
  try {
    const request = { ask: "acknowledge", instances: [instance], ...acknowledged };
    for await (const _answer of client.ask(request, { timeout: PATIENCE }));
  } catch {
    // The transfer ends when no further piece comes.
  }
}

function readInspection({ answer, error }: ControlAnswer): {
  readonly begun: string | undefined;
  readonly piece: Uint8Array | undefined;
  readonly pieces: unknown;
  readonly error: string | undefined;
} {
  const { thread, piece, pieces } = isRecord(answer) ? answer : {};
  return {
    begun: typeof thread === "string" ? thread.slice(0, 200) : undefined,
    piece: typeof piece === "string" ? Buffer.from(piece, "base64") : undefined,
    pieces,
    error,
  };
}
