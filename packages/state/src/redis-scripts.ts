/*
 * Redis runs each script as a whole, with nothing of others between. A script that may write writes the head first: where Redis
 * refuses to write (no memory, no disk, a replica), it refuses that, and nothing was written.
 *
 * KEYS: 1 the head, 2 the records, 3 the commits.
 */

/** ARGV: 1 the head of a new store. Returns the store's head; nil where records lie without one. */
export const OPEN_SCRIPT = `
local head = redis.call('GET', KEYS[1])
if head then return head end
if redis.call('EXISTS', KEYS[2], KEYS[3]) > 0 then return false end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
`;

/** Removes a store of ours, and leaves what is none. */
export const DESTROY_SCRIPT = `
local head = redis.call('GET', KEYS[1])
if head and string.sub(head, 1, 14) == 'clipper-state/' then redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3]) end
return true
`;

/** ARGV: 1 whether to tell the commits too. Returns {head, {name, record, ...}, {commit, ...}}. */
export const READ_SCRIPT = `
local commits = {}
if ARGV[1] == 'history' then commits = redis.call('LRANGE', KEYS[3], 0, -1) end
return {redis.call('GET', KEYS[1]), redis.call('HGETALL', KEYS[2]), commits}
`;

/** ARGV: 1 the head that is known, 2 its revision. Returns {head, {the known head's commit, what came after, ...}}. */
export const SINCE_SCRIPT = `
local head = redis.call('GET', KEYS[1])
if not head or head == ARGV[1] then return {head, {}} end
local revision = tonumber(string.match(head, '^%S+ %S+ (%d+) '))
if not revision or revision < tonumber(ARGV[2]) then return {head, {}} end
return {head, redis.call('LRANGE', KEYS[3], tonumber(ARGV[2]) - revision - 1, -1)}
`;

/**
 * ARGV: 1 the expected head, 2 the next, 3 the commit, 4 how many commits to keep, 5 whether damaged records may be written over,
 * then names and records in turn; an empty record is removed.
 * Returns {'done'}, {'head', the actual head} or {'damaged', {name, ...}}.
 */
export const COMMIT_SCRIPT = `
local head = redis.call('GET', KEYS[1])
if head ~= ARGV[1] then return {'head', head} end
if ARGV[5] ~= 'overwrite' then
  local damaged = {}
  for at = 6, #ARGV, 2 do
    local record = redis.call('HGET', KEYS[2], ARGV[at])
    if record and string.sub(record, 1, 40) ~= redis.sha1hex(ARGV[at] .. string.sub(record, 41)) then
      damaged[#damaged + 1] = ARGV[at]
    end
  end
  if #damaged > 0 then return {'damaged', damaged} end
end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('RPUSH', KEYS[3], ARGV[3])
redis.call('LTRIM', KEYS[3], -tonumber(ARGV[4]), -1)
for at = 6, #ARGV, 2 do
  if ARGV[at + 1] == '' then redis.call('HDEL', KEYS[2], ARGV[at])
  else redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1]) end
end
return {'done'}
`;
