/** The services that are profiled. Each of their threads profiles itself when it is told to. */
import { isMainThread } from "node:worker_threads";
import { http, rpc, service } from "../../../mod.ts";
export { emitter, handler } from "../events_services.ts";
import { Profiler, type Share } from "./profiler.ts";

/** What the main thread tells all threads, and what each of them answers at the end. */
export type ProfileMessage = "start" | "stop" | readonly Share[];

/** Name of the channel for {@linkcode ProfileMessage}. */
export const PROFILE_CHANNEL = "enoki-profile";

if (!isMainThread) {
  const channel = new BroadcastChannel(PROFILE_CHANNEL);
  const profiler = new Profiler();
  let stop: (() => Promise<readonly Share[]>) | undefined;
  channel.onmessage = async ({ data }: MessageEvent<ProfileMessage>) => {
    if (data === "start") stop = await profiler.time();
    else if (data === "stop") channel.postMessage(await stop?.() ?? []);
  };
}

/** Answers with what it was sent. */
export const echo = service("bench_echo_profiled", {
  entrypoints: { show: http("GET", "/number"), echo: rpc() },
  handlers: {
    show: () => Response.json(7),
    echo: (_context, value: unknown) => value,
  },
});
