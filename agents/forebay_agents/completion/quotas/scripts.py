"""What Redis does with budgets at one stroke: reserve, settle, take over what the ledger says."""

# KEYS: accounts, and then what each was called when ids were joined by colons. What lies there still is moved, for it
# is what was spent of this month; not needed any more 40 days after the last worker of 0.1 was stopped.
# An account's reservations are in KEY:amounts and KEY:until; what nobody settled in time is given back.
LIBRARY = """
local count = #KEYS / 2
for i = 1, count do
  if redis.call('EXISTS', KEYS[i]) == 0 and redis.call('EXISTS', KEYS[count + i]) == 1 then
    for _, part in ipairs({'', ':amounts', ':until', ':rows'}) do
      if redis.call('EXISTS', KEYS[count + i] .. part) == 1 then
        redis.call('RENAME', KEYS[count + i] .. part, KEYS[i] .. part)
      end
    end
  end
end
local function tidied(key, now)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key .. ':until', '-inf', now)) do
    redis.call('HINCRBY', key, 'reserved', -(redis.call('HGET', key .. ':amounts', id) or 0))
    redis.call('HDEL', key .. ':amounts', id)
    redis.call('ZREM', key .. ':until', id)
  end
  local spent = redis.call('HMGET', key, 'spent', 'reserved', 'ledger')
  return math.max((tonumber(spent[1]) or 0) + (tonumber(spent[2]) or 0), tonumber(spent[3]) or 0)
end
local function expire(key, ms)
  for _, one in ipairs({key, key .. ':amounts', key .. ':until', key .. ':rows'}) do redis.call('PEXPIRE', one, ms) end
end
"""

# ARGV: now ms, id ('': only asks), amount, keep ms, then for each key its limit, and for each until when (ms) it is put
# aside. Returns 0, or the number of the account that has no room; then the fill of each in per mille. Asking for 0: is
# anything left at all?
RESERVE = (
    LIBRARY
    + """
local answer, wanted = {0}, math.max(tonumber(ARGV[3]), 1)
for i = 1, count do
  local limit = tonumber(ARGV[4+i])
  local counted = tidied(KEYS[i], ARGV[1])
  if answer[1] == 0 and counted + wanted > limit then answer[1] = i end
  answer[i+1] = limit > 0 and math.min(1000, math.floor(1000 * counted / limit)) or 1000
end
if answer[1] ~= 0 then return answer end
for i = 1, count do
  local key = KEYS[i]
  if ARGV[2] ~= '' and tonumber(ARGV[3]) > 0 then
    redis.call('HINCRBY', key, 'reserved', ARGV[3])
    redis.call('HSET', key .. ':amounts', ARGV[2], ARGV[3])
    redis.call('ZADD', key .. ':until', ARGV[4+count+i], ARGV[2])
    expire(key, ARGV[4])
  end
end
return answer
"""
)

# ARGV: id, cost, keep ms.
SETTLE = (
    LIBRARY
    + """
for i = 1, count do
  local key = KEYS[i]
  local reserved = redis.call('HGET', key .. ':amounts', ARGV[1])
  if reserved then
    redis.call('HINCRBY', key, 'reserved', -reserved)
    redis.call('HDEL', key .. ':amounts', ARGV[1])
    redis.call('ZREM', key .. ':until', ARGV[1])
  end
  redis.call('HINCRBY', key, 'spent', ARGV[2])
  expire(key, ARGV[3])
end
return 0
"""
)

# ARGV: row, amount, keep ms. A row of the ledger's projection replaces its older self in the sum.
LEDGER = (
    LIBRARY
    + """
for i = 1, count do
  local key = KEYS[i]
  local old = redis.call('HGET', key .. ':rows', ARGV[1]) or 0
  redis.call('HSET', key .. ':rows', ARGV[1], ARGV[2])
  redis.call('HINCRBY', key, 'ledger', ARGV[2] - old)
  expire(key, ARGV[3])
end
return 0
"""
)
