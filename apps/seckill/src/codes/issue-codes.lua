#!lua
-- Dispenses ids of free codes to a vector of paid orders of one sale: all that an order wants, of every item, or none of them.
-- An order that asks again gets what it got. Ids leave at the head; Postgres decides who owns a code, whatever is remembered here.
--
-- KEYS[1] given   KEYS[2] cursors   KEYS[3..] free, the list of each item named
-- ARGV[1] how many items   ARGV[2..] their ids   then per order: rid, wants (position:quantity,..., the position counts the items from 1)
-- Returns { order... }
--   attempt: issued|items (itemId:id.id,...)   short|itemId|cursor (load|upTo, '' if nothing was loaded)
local givenKey, cursorsKey = KEYS[1], KEYS[2]
local FIRST_LIST = 2
local itemCount = tonumber(ARGV[1])

local orders = {}
for at = itemCount + 2, #ARGV, 2 do
  local rid, wants = ARGV[at], ARGV[at + 1]
  local given = redis.call('HGET', givenKey, rid)
  if given then
    orders[#orders + 1] = 'issued|' .. given
  else
    local lacking
    for position, quantity in string.gmatch(wants, '(%d+):(%d+)') do
      if not lacking and redis.call('LLEN', KEYS[FIRST_LIST + tonumber(position)]) < tonumber(quantity) then lacking = tonumber(position) end
    end
    if lacking then
      local itemId = ARGV[1 + lacking]
      orders[#orders + 1] = 'short|' .. itemId .. '|' .. (redis.call('HGET', cursorsKey, itemId) or '')
    else
      local items = {}
      for position, quantity in string.gmatch(wants, '(%d+):(%d+)') do
        local ids = redis.call('LPOP', KEYS[FIRST_LIST + tonumber(position)], quantity)
        items[#items + 1] = ARGV[1 + tonumber(position)] .. ':' .. table.concat(ids, '.')
      end
      local record = table.concat(items, ',')
      redis.call('HSET', givenKey, rid, record)
      orders[#orders + 1] = 'issued|' .. record
    end
  end
end
return orders
