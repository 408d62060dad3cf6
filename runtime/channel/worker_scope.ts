/** The part of a web Worker's global scope that we use; the type check knows the window's only. */
export interface WorkerScope<Incoming, Outgoing> {
  onmessage: ((event: { readonly data: Incoming }) => void) | null;
  postMessage(message: Outgoing): void;
  /** Absent in a node thread. */
  close?: () => void;
  readonly navigator: {
    readonly locks?: { request(name: string, held: () => Promise<never>): Promise<never> };
  };
}
