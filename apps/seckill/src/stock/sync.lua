#!lua flags=allow-oom
-- Applies rows and allotments of Postgres to one lane, each only if its version is newer than what Redis has; counters move by the
-- difference. A row that gives back what an operator took out of the sale comes with the allotment that shrank by it: one call, so
-- that no buyer finds those units free in between.
-- Also puts rows in that Redis never had or has forgotten. Runs while a lane sells and while it is loaded, and out of memory too:
-- giving units back must always be possible.
--
-- KEYS[1] sale   KEYS[2] stock   KEYS[3] resv   KEYS[4] buyer   KEYS[5] ip   KEYS[6] admitted   KEYS[7] allotment
-- ARGV[1] how many allotments; then per allotment: itemId, version, units
-- ARGV per row after them: rid, version, holds (0, 1), settled (0, 1), accountId, ipHash, items (id:quantity,...), number, reservedAtMs
-- Returns { word, applied, adopted, behind, restocked }
--   word: synced | no-lane (nothing was done: the load that creates the lane reads these rows itself)
--         | allotment-unknown (nothing was done: Redis does not know how much of a change it has counted; the lane must be loaded again)
--   behind: rows whose number Redis has never given although it is selling: it has forgotten admissions
local saleKey, stockKey, resvKey, buyerKey, ipKey, admittedKey, allotmentKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local rowsFrom = 2 + tonumber(ARGV[1]) * 3
local WIDTH = 9
local RECORD = '^(%d+)|([01])|([01])|(%d+)|(%d+)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|(.*)$'

local sale = redis.call('HMGET', saleKey, 'epoch', 'selling', 'perAccount', 'perIp', 'seq', 'load')
if not sale[1] then return { 'no-lane', 0, 0, 0, 0 } end
local selling, perAccount, perIp = sale[2] == '1', sale[3] and sale[3] ~= '', sale[4] and sale[4] ~= ''
local seq, load = tonumber(sale[5] or '0'), sale[6]
local seqMax = seq
local applied, adopted, behind, restocked = 0, 0, 0, 0

-- Moves the counters by what one reservation holds: sign 1 takes, -1 gives back.
local function move(sign, settled, accountId, ipHash, items)
  local total = 0
  for itemId, digits in string.gmatch(items, '([^,:]+):(%d+)') do
    local quantity = sign * tonumber(digits)
    local row = redis.call('HMGET', stockKey, itemId, itemId .. '|limit')
    if row[1] then
      redis.call('HINCRBY', stockKey, itemId, -quantity)
      if settled == '0' then redis.call('HINCRBY', stockKey, itemId .. '|unsettled', quantity) end
      if row[2] and row[2] ~= '' then redis.call('HINCRBY', buyerKey, accountId .. '|' .. itemId, quantity) end
    end
    total = total + quantity
  end
  if perAccount then redis.call('HINCRBY', buyerKey, accountId, total) end
  if perIp and ipHash ~= '' then redis.call('HINCRBY', ipKey, ipHash, total) end
end

local allotted = {}
for at = 2, rowsFrom - 1, 3 do
  local version, units = string.match(redis.call('HGET', allotmentKey, ARGV[at]) or '', '^(%d+)|(%d+)$')
  if not version then return { 'allotment-unknown', 0, 0, 0, 0 } end
  allotted[ARGV[at]] = { tonumber(version), tonumber(units) }
end
for at = 2, rowsFrom - 1, 3 do
  local itemId, version, units = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  if version > allotted[itemId][1] then
    redis.call('HINCRBY', stockKey, itemId, units - allotted[itemId][2])
    redis.call('HSET', allotmentKey, itemId, ARGV[at + 1] .. '|' .. ARGV[at + 2])
    allotted[itemId] = { version, units }
    restocked = restocked + 1
  end
end

for at = rowsFrom, #ARGV, WIDTH do
  local rid, version, holds, settled = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local accountId, ipHash, items = ARGV[at + 4], ARGV[at + 5], ARGV[at + 6]
  local number, reservedAtMs = ARGV[at + 7], ARGV[at + 8]
  local record = redis.call('HGET', resvKey, rid)
  local relayId, counted, known = '', false, false
  local oldVersion = -1
  if record then
    local v, oldHolds, oldSettled, oldNumber, oldAtMs, oldLoad, oldRelayId, oldAccount, oldIp, oldItems = string.match(record, RECORD)
    oldVersion = tonumber(v)
    if tonumber(version) > oldVersion then
      known, counted = true, oldLoad == load
      number, reservedAtMs, relayId, ipHash = oldNumber, oldAtMs, oldRelayId, oldIp
      -- A record of an earlier load has not been counted again yet, so there is nothing of it to give back.
      if counted and oldHolds == '1' then move(-1, oldSettled, oldAccount, oldIp, oldItems) end
    end
  end
  if tonumber(version) > oldVersion then
    applied = applied + 1
    if holds == '1' then move(1, settled, accountId, ipHash, items) end
    redis.call('HSET', resvKey, rid, table.concat({ version, holds, settled, number, reservedAtMs, load, relayId, accountId, ipHash, items }, '|'))
    if not counted then redis.call('RPUSH', admittedKey, accountId) end
    if not known then
      adopted = adopted + 1
      if selling and tonumber(number) > seq then behind = behind + 1 end
      seqMax = math.max(seqMax, tonumber(number))
    end
  end
end
-- While the lane sells the gap stays visible until a load closes it, so that the alarm cannot be lost with the process that saw it.
if not selling and seqMax > seq then redis.call('HSET', saleKey, 'seq', string.format('%.0f', seqMax)) end
return { 'synced', applied, adopted, behind, restocked }
