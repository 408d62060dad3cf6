/** A lock could not be had in time, because somebody else holds it. */
export class LockTimeoutError extends Error {
  static {
    this.prototype.name = "LockTimeoutError";
  }
  /** Code of this error for callers: `LOCK_TIMEOUT`. */
  readonly code: string = "LOCK_TIMEOUT";
  /** Whether the same attempt may succeed later, which it may. */
  readonly retryable: boolean = true;

  /** Makes the error of a lock that was not free within `wait` milliseconds. */
  constructor(name: string, wait: number) {
    super(
      wait === 0
        ? `Cannot take lock "${name}": it is held. Try again, or wait for it: { wait: 5_000 }`
        : `Cannot take lock "${name}": it was held for all of ${wait / 1_000} s. Try again, or wait longer`,
    );
  }
}

/** A lock was lost while its holder worked. It is the reason of the `signal` of the lock. */
export class LockLostError extends Error {
  static {
    this.prototype.name = "LockLostError";
  }
  /** Code of this error for callers: `LOCK_LOST`. */
  readonly code: string = "LOCK_LOST";
  /** Whether the same call may succeed later, which it may. */
  readonly retryable: boolean = true;

  /** Makes the error of a lock that its holder no longer has. */
  constructor(name: string, reason: string) {
    super(`Cannot keep lock "${name}": ${reason}. Stop the work, and take the lock anew`);
  }
}
