/** The client library of NATS. Only this file and `socket_guard.ts` import it, and name its version. */
import "./socket_guard.ts";
export {
  connect,
  createInbox,
  errors,
  headers,
  type Msg,
  nanos,
  type NatsConnection,
  RequestError,
  type Subscription,
} from "npm:@nats-io/transport-node@3.4.0";
export {
  AckPolicy,
  DeliverPolicy,
  jetstream,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from "npm:@nats-io/jetstream@3.4.0";
import { errors, RequestError } from "npm:@nats-io/transport-node@3.4.0";
import { JetStreamApiError } from "npm:@nats-io/jetstream@3.4.0";

/** Codes of the errors of JetStream that this transport expects. */
export const CODES = {
  consumerNotFound: 10014,
  noMessageFound: 10037,
  noSuchSequence: 10057,
  streamNameInUse: 10058,
  streamNotFound: 10059,
  /** Another stream has the subject. */
  subjectInUse: 10065,
  wrongLastSequence: 10071,
} as const;

/** Says whether JetStream answered with one of these errors. */
export function answeredWith(error: unknown, ...codes: readonly number[]): boolean {
  return error instanceof JetStreamApiError && codes.includes(error.code);
}

/** Says whether nobody listened to the subject of a request. */
export function hadNoListener(error: unknown): boolean {
  const cause = error instanceof RequestError ? error : error instanceof Error ? error.cause : undefined;
  return cause instanceof RequestError && cause.isNoResponders();
}

/** Says whether no answer came in time. */
export function timedOut(error: unknown): boolean {
  return error instanceof errors.TimeoutError ||
    (error instanceof Error && error.cause instanceof errors.TimeoutError);
}
