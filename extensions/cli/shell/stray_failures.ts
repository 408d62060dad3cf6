/**
 * Hears of failures that nobody has handled, such as that of a call that nobody awaits, until it is disposed. They
 * would end the process.
 */
export function onStrayFailure(listener: (error: unknown) => void): Disposable {
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    listener(event.reason);
  };
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    listener(event.error);
  };
  addEventListener("unhandledrejection", onRejection);
  addEventListener("error", onError);
  return {
    [Symbol.dispose]() {
      removeEventListener("unhandledrejection", onRejection);
      removeEventListener("error", onError);
    },
  };
}
