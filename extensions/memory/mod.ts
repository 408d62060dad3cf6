/** The broker in one process. */
export { MemoryBroker } from "./broker.ts";
export { memory, type MemoryOptions } from "./memory_transport.ts";
