#!lua flags=allow-oom
-- Forgets what was dispensed to orders, because Postgres has spoken; what an order did not take goes back to the head it came from.
--
-- KEYS[1] given   KEYS[2..] free, the list of each item named
-- ARGV[1] how many items   ARGV[2..] their ids   then per order: rid, what (forget, return)
-- Returns word: settled
local givenKey = KEYS[1]
local itemCount = tonumber(ARGV[1])

local lists = {}
for position = 1, itemCount do lists[ARGV[1 + position]] = KEYS[1 + position] end
for at = itemCount + 2, #ARGV, 2 do
  local rid, what = ARGV[at], ARGV[at + 1]
  local given = redis.call('HGET', givenKey, rid)
  if given and what == 'return' then
    for itemId, ids in string.gmatch(given, '([^,:]+):([%d.]+)') do
      local back = {}
      for id in string.gmatch(ids, '%d+') do table.insert(back, 1, id) end
      if lists[itemId] then redis.call('LPUSH', lists[itemId], unpack(back)) end
    end
  end
  redis.call('HDEL', givenKey, rid)
end
return 'settled'
