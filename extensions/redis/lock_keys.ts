/**
 * What Redis holds of a lock, and the scripts that change it, each in one step.
 *
 * The key of a lock has the token of its holder, and expires. The key beside it has the last fencing number, which is
 * the time of Redis in microseconds, or one more than the last number if that is not less. So the numbers of a lock grow
 * even if Redis has lost what it held, as long as its clock does not go back, and the key may expire.
 */

/** Milliseconds after its last use that the last fencing number of a lock is kept. */
const FENCE_LIFE = 86_400_000;

/**
 * Takes a lock that is free.
 *
 * KEYS: the lock, its fencing number. ARGV: the token, milliseconds to hold it. Gives the fencing number as text, or
 * the milliseconds that the lock is held at most.
 */
export const ACQUIRE = `
if redis.call("set", KEYS[1], ARGV[1], "NX", "PX", ARGV[2]) then
  local now = redis.call("time")
  local fence = now[1] * 1000000 + now[2]
  local last = tonumber(redis.call("get", KEYS[2]) or "0")
  if fence <= last then fence = last + 1 end
  local text = string.format("%.0f", fence)
  redis.call("set", KEYS[2], text, "PX", ${FENCE_LIFE})
  return text
end
return redis.call("pttl", KEYS[1])
`;

/** Holds a lock for longer, if its token is still this one. KEYS: the lock. ARGV: the token, milliseconds. */
export const EXTEND = `
if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("pexpire", KEYS[1], ARGV[2]) end
return 0
`;

/** Frees a lock, if its token is still this one. KEYS: the lock. ARGV: the token. */
export const RELEASE = `
if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end
return 0
`;

/** Names the keys of a lock. A cluster keeps both on one node, because both begin with the same braces. */
export function lockKeys(name: string): readonly [lock: string, fence: string] {
  const lock = `{enoki:lock:${name}}`;
  return [lock, `${lock}:fence`];
}
