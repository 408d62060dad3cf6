/** This module exports the broker that the processes of one machine share. */
export { local, type LocalOptions } from "./local_transport.ts";
