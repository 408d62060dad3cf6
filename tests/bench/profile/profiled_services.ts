/** The services that are profiled. Each of their threads profiles itself when it is told to. */
import { isMainThread } from "node:worker_threads";
import { dispatcher, event, http, rpc, service } from "../../../mod.ts";
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

/** Dispatches as many events as it is asked to, 50 at a time. */
export const emitter = service("profile_emitter", {
  dependencies: { emit: dispatcher<{ placed: unknown }>() },
  entrypoints: { emit: rpc() },
  handlers: {
    async emit({ emit }, count: number, payload: unknown) {
      let left = count;
      await Promise.all(Array.from({ length: 50 }, async () => {
        while (left-- > 0) await emit("placed", payload);
      }));
    },
  },
});

/** Handles the events of {@linkcode emitter}. */
export const handler = service("profile_handler", {
  entrypoints: { placed: event("profile_emitter", "placed", { prefetch: 50 }) },
  handlers: { placed() {} },
});
