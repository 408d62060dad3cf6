/**
 * The entry module of a service's thread, as a node thread or as a web Worker.
 *
 * It comes before the service's module and closes the ways in which service code could end the thread without
 * a word or change what the thread was given: `Deno.exit` and `self.close` first tell main, an uncaught error
 * becomes a line in the log, and permissions, which a node thread shares with its creator, cannot be revoked.
 */
import { workerData } from "node:worker_threads";
import { closeSandbox } from "./sandbox.ts";
import { ServiceThread } from "./service_thread.ts";
import { openThreadChannel, type ThreadBirth, type WorkerScope } from "../channel/thread_channel.ts";

const scope = globalThis as unknown as WorkerScope<ThreadBirth, never>;

function live({ channel, claims }: ThreadBirth): void {
  const { exit } = Deno;
  const thread = new ServiceThread(openThreadChannel(channel), claims, {
    exit: () => exit(0),
    enclose: closeSandbox,
  });
  guard(thread);
  // A node thread that holds a lock is one that can be interrupted; one without would spin on.
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
