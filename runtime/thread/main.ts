/**
 * The entry module of a service's thread, for a node thread and for a web Worker.
 *
 * This module runs before the service's module. It closes the ways in which service code could end the thread
 * in silence or change what the thread was given. `Deno.exit` and `self.close` first tell the main thread. An
 * uncaught error becomes a line in the log. Service code cannot revoke permissions, because a node thread
 * shares them with its creator.
 */
import { workerData } from "node:worker_threads";
import { closeSandbox } from "./sandbox.ts";
import { ServiceThread } from "./service_thread.ts";
import { openThreadChannel, type ThreadBirth, type WorkerScope } from "../channel/thread_channel.ts";
import { markServiceThread } from "../channel/thread_mark.ts";

const scope = globalThis as unknown as WorkerScope<ThreadBirth, never>;

function live({ channel, claims }: ThreadBirth): void {
  markServiceThread();
  const { exit } = Deno;
  const thread = new ServiceThread(openThreadChannel(channel), claims, {
    exit: () => exit(0),
    enclose: closeSandbox,
  });
  guard(thread);
  // Deno can interrupt a spinning node thread only if the thread holds a lock. Else the thread would spin on.
  void scope.navigator.locks?.request(crypto.randomUUID(), () => new Promise(() => {}));
}

function guard(thread: ServiceThread): void {
  const exit = Deno.exit;
  Deno.exit = (code = 0) => {
    thread.reportExit(code);
    return exit(code);
  };
  const { close } = scope;
  if (close !== undefined) {
    scope.close = () => {
      thread.reportExit(0);
      close.call(scope);
    };
  }
  const permissions = Deno.Permissions.prototype;
  permissions.revoke = (descriptor) => Deno.permissions.query(descriptor);
  permissions.revokeSync = (descriptor) => Deno.permissions.querySync(descriptor);
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    thread.reportUncaught(event.error ?? event.message);
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    thread.reportUncaught(event.reason);
  });
}

if (workerData?.claims !== undefined) live(workerData);
else scope.onmessage = ({ data }) => live(data);
