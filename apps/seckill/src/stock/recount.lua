#!lua flags=allow-oom
-- Counts some of the reservations that Redis still has under the load that is under way, each exactly once: a record carries the load
-- that counted it. Called with the cursor it returned until that is 0; syncs may come in between.
--
-- KEYS[1] sale   KEYS[2] stock   KEYS[3] resv   KEYS[4] buyer   KEYS[5] ip   KEYS[6] admitted
-- ARGV[1] load   ARGV[2] cursor   ARGV[3] about how many reservations to look at
-- Returns { word, cursor }
--   word: recounted | superseded (another load began, or Redis lost this one)
local saleKey, stockKey, resvKey, buyerKey, ipKey, admittedKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local load, cursor, count = ARGV[1], ARGV[2], ARGV[3]
local RECORD = '^(%d+)|([01])|([01])|(%d+)|(%d+)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|(.*)$'

local sale = redis.call('HMGET', saleKey, 'load', 'selling', 'perAccount', 'perIp', 'seq')
if sale[1] ~= load or sale[2] ~= '0' then return { 'superseded', '0' } end
local perAccount, perIp, seq = sale[3] ~= '', sale[4] ~= '', tonumber(sale[5] or '0')

local function take(settled, accountId, ipHash, items)
  local total = 0
  for itemId, digits in string.gmatch(items, '([^,:]+):(%d+)') do
    local quantity = tonumber(digits)
    local row = redis.call('HMGET', stockKey, itemId, itemId .. '|limit')
    if row[1] then
      redis.call('HINCRBY', stockKey, itemId, -quantity)
      if settled == '0' then redis.call('HINCRBY', stockKey, itemId .. '|unsettled', quantity) end
      if row[2] then redis.call('HINCRBY', buyerKey, accountId .. '|' .. itemId, quantity) end
    end
    total = total + quantity
  end
  if perAccount then redis.call('HINCRBY', buyerKey, accountId, total) end
  if perIp and ipHash ~= '' then redis.call('HINCRBY', ipKey, ipHash, total) end
end

local scan = redis.call('HSCAN', resvKey, cursor, 'COUNT', count)
local page = scan[2]
for at = 1, #page, 2 do
  local rid, record = page[at], page[at + 1]
  local version, holds, settled, number, reservedAtMs, oldLoad, relayId, accountId, ipHash, items = string.match(record, RECORD)
  if oldLoad ~= load then
    if holds == '1' then take(settled, accountId, ipHash, items) end
    redis.call('HSET', resvKey, rid, table.concat({ version, holds, settled, number, reservedAtMs, load, relayId, accountId, ipHash, items }, '|'))
    redis.call('RPUSH', admittedKey, accountId)
    seq = math.max(seq, tonumber(number))
  end
end
redis.call('HSET', saleKey, 'seq', string.format('%.0f', seq))
return { 'recounted', scan[1] }
