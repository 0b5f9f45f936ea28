#!lua flags=no-writes,allow-oom
-- Relay entries that have waited too long for their confirm, with the reservations they name. Postgres has spoken of those left out.
--
-- KEYS[1] sale   KEYS[2] relay   KEYS[3] resv
-- ARGV[1] epoch   ARGV[2] ageMs: entries younger than that are left to whoever reserved   ARGV[3] how many entries at most
-- Returns { word, length, oldestAgeMs (-1 none), entry... }, entry { relayId, rid, record, rid, record, ... }
--   word: selling | closed (not selling at this epoch; no entries follow: what an older epoch reserved is not published)
local saleKey, relayKey, resvKey = KEYS[1], KEYS[2], KEYS[3]
local epoch, ageMs, count = ARGV[1], tonumber(ARGV[2]), ARGV[3]

local sale = redis.call('HMGET', saleKey, 'epoch', 'selling')
local length, oldestAgeMs = redis.call('XLEN', relayKey), -1
local time = redis.call('TIME')
local nowMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if length > 0 then
  local first = redis.call('XRANGE', relayKey, '-', '+', 'COUNT', 1)
  oldestAgeMs = nowMs - tonumber(string.match(first[1][1], '^%d+'))
end
if sale[1] ~= epoch or sale[2] ~= '1' then return { 'closed', length, oldestAgeMs } end

local results = { 'selling', length, oldestAgeMs }
for _, entry in ipairs(redis.call('XRANGE', relayKey, '-', string.format('%.0f', nowMs - ageMs), 'COUNT', count)) do
  local relayId, rids = entry[1], entry[2][2]
  local found = { relayId }
  for rid in string.gmatch(rids, '%S+') do
    local record = redis.call('HGET', resvKey, rid)
    if record and string.sub(record, 1, 2) == '0|' then
      found[#found + 1] = rid
      found[#found + 1] = record
    end
  end
  results[#results + 1] = found
end
return results
