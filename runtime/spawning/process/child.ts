/**
 * The entry module of a service's process. It starts and ends the threads of the service, and passes on what they and
 * the main thread of Enoki tell each other. It runs no code of the service.
 *
 * In a binary, the process has all permissions, because the binary has. So its threads have a warden with those of the
 * service, and the main thread of the process gives up its own before there is a thread.
 *
 * The process ends when the main thread has closed the connection or has ended. Signals that a terminal or a service
 * manager sends to all processes are for the main thread, which stops the services.
 */
import { dirname } from "node:path";
import { Claims, SLOTS } from "../../channel/claims.ts";
import { FrameKind, FrameWriter, readFrames } from "../../channel/frames/frame_stream.ts";
import { Relay } from "../../channel/frames/relay.ts";
import { DENO_PERMISSION_NAMES } from "../../permissions/permissions.ts";
import { createNodeWorker, type StartThread } from "../node_worker.ts";
import { askThenInterrupt } from "../spawner.ts";
import { Wards } from "../wards.ts";
import { hasUnixHosts } from "../../permissions/unix_hosts.ts";
import { CONTROL, type FromProcess, type ProcessOrder, type ToProcess } from "./process_messages.ts";

/** A thread of this process. */
interface Member {
  readonly relay: Relay;
  readonly claims: Claims;
  readonly kill: () => void;
  received: number;
}

/** Characters of the reason for the end of a thread. */
const LONGEST_REASON = 4_096;

const members = new Map<number, Member>();

/** Obeys the main thread until the connection ends. */
export async function serveProcess({ socket, token, sandbox }: ProcessOrder): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.addSignalListener(signal, () => {});
  const wards = sandbox === undefined ? undefined : new Wards("warden", sandbox);
  const connection = await Deno.connect({ transport: "unix", path: socket });
  await wards?.ready;
  if (wards === undefined) giveUpSocket(socket);
  else giveUpAll();
  await connection.write(new TextEncoder().encode(token));
  const writer = new FrameWriter(connection);
  const start = wards?.start ?? createNodeWorker;
  await readFrames(connection, (receiver, frame) => {
    if (receiver === CONTROL) return obey(writer, start, JSON.parse(frame.text));
    members.get(receiver)?.relay.receive(frame);
  }, wakeAll);
}

/** Wakes all threads that wait and have got something. */
function wakeAll(): undefined {
  for (const { relay } of members.values()) relay.wake();
}

/** Gives up what the process had in addition to the service, whose permissions it has. */
function giveUpSocket(socket: string): void {
  if (hasUnixHosts()) Deno.permissions.revokeSync({ name: "net", host: `unix:${socket}` });
  const folder = dirname(socket);
  for (const name of ["read", "write"] as const) {
    // Where the service itself may be, it has a folder above this one, which it would lose with the socket.
    const isOfService = Deno.permissions.querySync({ name, path: folder }).state === "granted";
    if (!isOfService) Deno.permissions.revokeSync({ name, path: socket });
  }
}

/** Gives up all permissions of this thread. It needs none from now on, and the warden has its own. */
function giveUpAll(): void {
  for (const name of DENO_PERMISSION_NAMES) Deno.permissions.revokeSync({ name });
}

function obey(writer: FrameWriter, start: StartThread, order: ToProcess): void {
  switch (order.type) {
    case "spawn":
      spawn(writer, start, order);
      break;
    case "kill":
      members.get(order.id)?.kill();
      break;
    case "recall": {
      const { id, question, slots } = order;
      const claims = members.get(id)?.claims;
      report(writer, {
        type: "recalled",
        question,
        slots: slots.filter((slot) => claims?.takeBack(slot) === true),
      });
      break;
    }
  }
}

function spawn(
  writer: FrameWriter,
  start: StartThread,
  { id, name, heapLimit }: Extract<ToProcess, { readonly type: "spawn" }>,
): void {
  const claims = new Claims();
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  const relay = new Relay(writer, id, (slot) => {
    member.received++;
    claims.offer(slot);
  });
  const worker = start(
    name,
    { channel: relay.thread, claims: claims.buffer },
    heapLimit,
    // What the thread has written last may still be on its way.
    (reason) => void setTimeout(() => resolve(reason)),
  );
  const member: Member = {
    relay,
    claims,
    kill: () => askThenInterrupt({ port: relay, ended }, claims.buffer, () => void worker.terminate()),
    received: 0,
  };
  members.set(id, member);
  void ended.then((reason) => {
    members.delete(id);
    relay.close();
    const unstarted = Array.from({ length: SLOTS }, (_, slot) => slot).filter((slot) =>
      claims.takeBack(slot)
    );
    report(writer, {
      type: "ended",
      id,
      reason: reason.slice(0, LONGEST_REASON),
      unstarted,
      received: member.received,
    });
  });
}

function report(writer: FrameWriter, report: FromProcess): void {
  writer.write(CONTROL, { kind: FrameKind.control, text: JSON.stringify(report) });
}
