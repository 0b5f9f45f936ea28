#!lua flags=allow-oom
-- Begins a load of one lane: closes it, writes the new epoch, and sets every counter to "nothing is held".
-- What Redis still has of reservations stays; recount.lua and sync.lua count each of them once under the new load.
--
-- KEYS[1] sale   KEYS[2] stock   KEYS[3] buyer   KEYS[4] ip   KEYS[5] admitted   KEYS[6] allotment
-- ARGV[1] epoch   ARGV[2] version   ARGV[3] state   ARGV[4] opensAtMs   ARGV[5] closesAtMs   ARGV[6] perAccount ('' none)   ARGV[7] perIp ('' none)
-- ARGV[8..] per item: itemId, allotment, version of the allotment, perAccount ('' none)
-- Returns { word, load }
--   word: loading | older (Redis has a later epoch) | selling (this epoch sells already) | restarted (it did, before Redis restarted)
--   load: names this load; the scripts that follow pass it, so that two loads of one lane cannot mix
local saleKey, stockKey, buyerKey, ipKey, admittedKey, allotmentKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local epoch, version, state, opensAtMs, closesAtMs, perAccount, perIp = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local FIRST, WIDTH = 8, 4

local runId = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local sale = redis.call('HMGET', saleKey, 'epoch', 'selling', 'runId', 'load', 'version')
local laneEpoch, selling, laneRunId, laneLoad, laneVersion = sale[1], sale[2], sale[3], sale[4], sale[5]

if laneEpoch and tonumber(laneEpoch) > tonumber(epoch) then return { 'older', laneLoad } end
if laneEpoch == epoch and selling == '1' then return { laneRunId == runId and 'selling' or 'restarted', laneLoad } end

local load = epoch .. '.' .. redis.call('HINCRBY', saleKey, 'loads', 1)
redis.call('HSET', saleKey, 'epoch', epoch, 'selling', '0', 'runId', runId, 'load', load,
  'opensAtMs', opensAtMs, 'closesAtMs', closesAtMs, 'perAccount', perAccount, 'perIp', perIp)
-- A pause may have reached Redis before the load that was sent earlier.
if not laneVersion or tonumber(version) > tonumber(laneVersion) then redis.call('HSET', saleKey, 'version', version, 'state', state) end
redis.call('UNLINK', stockKey, buyerKey, ipKey, admittedKey)
for at = FIRST, #ARGV, WIDTH do
  local itemId, allotment, allotmentVersion, limit = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  -- A change of the stock may have reached Redis before the load that was sent earlier.
  local knownVersion, known = string.match(redis.call('HGET', allotmentKey, itemId) or '', '^(%d+)|(%d+)$')
  if knownVersion and tonumber(knownVersion) > tonumber(allotmentVersion) then allotment, allotmentVersion = known, knownVersion end
  redis.call('HSET', allotmentKey, itemId, allotmentVersion .. '|' .. allotment)
  redis.call('HSET', stockKey, itemId, allotment, itemId .. '|unsettled', '0')
  if limit ~= '' then redis.call('HSET', stockKey, itemId .. '|limit', limit) end
end
return { 'loading', load }
