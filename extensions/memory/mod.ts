/** This module exports the broker that lives in one process. */
export { MemoryBroker } from "./broker.ts";
export { memory, type MemoryOptions } from "./memory_transport.ts";
