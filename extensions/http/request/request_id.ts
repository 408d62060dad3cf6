/**
 * The ids of requests whose clients sent none.
 *
 * Nothing reads the id of most requests, so nobody makes one before somebody asks for it: a line of the log, an error,
 * or a handler that reads the headers. The response carries the id that was made, if its head has room for that, so a
 * client can name the request that the log names.
 *
 * The main thread makes the id if the log shows a line for each request, or if it answers with an error of the service.
 * The thread of the call makes it otherwise, and sends it with the head of the response.
 */
import type { Payload } from "../../../runtime/service/entrypoint.ts";

/** The header by which clients and the server tell each other the id. */
export const REQUEST_ID = "x-request-id";

/**
 * Returns the id of a request as the server knows it, and makes one if it is needed now.
 *
 * @param headers Names and values in turn. They get the id that is made, and lose an empty one, which counts as none.
 */
export function requestIdOf(headers: string[], isNeeded: boolean): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] !== REQUEST_ID) continue;
    if (headers[index + 1] !== "") return headers[index + 1];
    headers.splice(index, 2);
  }
  if (!isNeeded) return undefined;
  const id = crypto.randomUUID();
  headers.push(REQUEST_ID, id);
  return id;
}

const made = new WeakMap<Payload, string>();

/** Returns the id of a request that came without one. */
export function makeId(payload: Payload): string {
  let id = made.get(payload);
  if (id === undefined) {
    id = crypto.randomUUID();
    made.set(payload, id);
  }
  return id;
}

/** Returns the id that {@linkcode makeId} has made for a request; undefined if nobody has asked for one. */
export function madeId(payload: Payload): string | undefined {
  return made.get(payload);
}
