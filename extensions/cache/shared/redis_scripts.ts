/**
 * What Redis does for a cache in one step each. All keys of one cache begin with the same prefix in braces, so that a
 * cluster keeps them on one node, where a script may use them together.
 *
 * A script gets the prefix as its key, and the rest as arguments.
 */

/** Adds a key to the sets of its tags, each of which lives as long as the value that lives longest. */
const TAG = `
local function tag(key, life, first)
  for i = first, #ARGV do
    local set = KEYS[1] .. 'tag:' .. ARGV[i]
    redis.call('SADD', set, key)
    if redis.call('PTTL', set) < life then redis.call('PEXPIRE', set, life) end
  end
end
`;

/** Stores a value; arguments: key, value, milliseconds, tags. What is being loaded for the key is stored no more. */
export const SET = `${TAG}
redis.call('SET', KEYS[1] .. 'value:' .. ARGV[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[1] .. 'lease:' .. ARGV[1])
tag(ARGV[1], tonumber(ARGV[3]), 4)
`;

/** Stores a value for whoever has the lease, and ends it; arguments: key, value, milliseconds, holder, tags. */
export const SETTLE = `${TAG}
local lease = KEYS[1] .. 'lease:' .. ARGV[1]
if redis.call('GET', lease) ~= ARGV[4] then return 0 end
redis.call('SET', KEYS[1] .. 'value:' .. ARGV[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', lease)
tag(ARGV[1], tonumber(ARGV[3]), 5)
return 1
`;

/** Lets the lease of a holder live on, or ends it if there are no milliseconds; arguments: key, holder, milliseconds. */
export const HOLD = `
local lease = KEYS[1] .. 'lease:' .. ARGV[1]
if redis.call('GET', lease) ~= ARGV[2] then return 0 end
return redis.call('PEXPIRE', lease, ARGV[3])
`;

/** Deletes values and leases, and gives the keys of all; arguments: the number of keys, keys, tags. */
export const DELETE = `
local all = {}
local count = tonumber(ARGV[1])
for i = 2, count + 1 do all[#all + 1] = ARGV[i] end
for i = count + 2, #ARGV do
  local set = KEYS[1] .. 'tag:' .. ARGV[i]
  for _, key in ipairs(redis.call('SMEMBERS', set)) do all[#all + 1] = key end
  redis.call('DEL', set)
end
for _, key in ipairs(all) do
  redis.call('DEL', KEYS[1] .. 'value:' .. key, KEYS[1] .. 'lease:' .. key)
end
return all
`;
