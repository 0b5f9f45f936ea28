#!lua flags=allow-oom
-- Takes over a newer state of the sale (paused, ended, withdrawn, armed again).
--
-- KEYS[1] sale
-- ARGV[1] version   ARGV[2] state
-- Returns word: changed | older | no-lane
local saleKey = KEYS[1]
local version, state = ARGV[1], ARGV[2]

local sale = redis.call('HMGET', saleKey, 'epoch', 'version')
local laneEpoch, laneVersion = sale[1], sale[2]
if not laneEpoch then return 'no-lane' end
if tonumber(version) <= tonumber(laneVersion or '0') then return 'older' end
redis.call('HSET', saleKey, 'version', version, 'state', state)
return 'changed'
