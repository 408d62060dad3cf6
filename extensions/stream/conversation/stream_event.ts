/** What happens to a connection. */
export type StreamEvent = "connected" | "received" | "lost";
