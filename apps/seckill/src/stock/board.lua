#!lua flags=no-writes,allow-oom
-- One read of everything the board and the fence want to know of a lane.
--
-- KEYS[1] sale   KEYS[2] stock   KEYS[3] admitted
-- ARGV[1] load that the caller's admissions belong to   ARGV[2] how many of them it has   ARGV[3] how many more it wants at most
-- Returns { word, nowMs, epoch, selling (0, 1), version, state, runId, load, stock { field, value, ... }, admittedFrom, admittedTotal, accounts { ... } }
--   word: known | no-lane (followed by nowMs alone)
--   admittedFrom is 0 instead of what the caller has if another load has counted the admissions afresh
local saleKey, stockKey, admittedKey = KEYS[1], KEYS[2], KEYS[3]
local callerLoad, callerHas, want = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local time = redis.call('TIME')
local nowText = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
local sale = redis.call('HMGET', saleKey, 'epoch', 'selling', 'version', 'state', 'runId', 'load')
local epoch, selling, version, state, runId, load = sale[1], sale[2], sale[3], sale[4], sale[5], sale[6]
if not epoch then return { 'no-lane', nowText } end

local total = redis.call('LLEN', admittedKey)
local from = (load == callerLoad and callerHas <= total) and callerHas or 0
local accounts = {}
if want > 0 and from < total then accounts = redis.call('LRANGE', admittedKey, from, from + want - 1) end
return { 'known', nowText, epoch, selling, version, state, runId, load, redis.call('HGETALL', stockKey), from, total, accounts }
