#!lua flags=allow-oom
-- Ends a load: the lane sells from now on, if its state and window say so.
--
-- KEYS[1] sale
-- ARGV[1] load   ARGV[2] version   ARGV[3] state
-- ARGV[4] numbersUnjudged: at most so many admissions may still turn up that Redis has forgotten; their numbers are not given again
-- Returns word: selling | superseded (another load began) | restarted (Redis restarted during the load and may have lost part of it)
local saleKey = KEYS[1]
local load, version, state, numbersUnjudged = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local sale = redis.call('HMGET', saleKey, 'load', 'runId', 'version')
local laneLoad, laneRunId, laneVersion = sale[1], sale[2], sale[3]
if laneLoad ~= load then return 'superseded' end
if string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') ~= laneRunId then return 'restarted' end

if tonumber(version) > tonumber(laneVersion) then redis.call('HSET', saleKey, 'version', version, 'state', state) end
redis.call('HINCRBY', saleKey, 'seq', numbersUnjudged)
redis.call('HSET', saleKey, 'selling', '1')
return 'selling'
