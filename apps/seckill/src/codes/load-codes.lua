#!lua
-- Puts ids of free codes behind those of an item's pool, or in their place, if the pool stands where the caller believes.
-- Two who load at once, or one that is late, thus add every page once.
--
-- KEYS[1] cursors   KEYS[2] free
-- ARGV[1] itemId   ARGV[2] mode: append, anew   ARGV[3] load: the token expected (append), or the new one (anew)
-- ARGV[4] after: the highest id expected (append)   ARGV[5] upTo: the highest id of this page   ARGV[6..] ids
-- Returns word: loaded | stale (nothing was done)
local cursorsKey, freeKey = KEYS[1], KEYS[2]
local itemId, mode, load, after, upTo = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local FIRST, PUSHED_MAX = 6, 1000

if mode == 'anew' then
  redis.call('DEL', freeKey)
elseif (redis.call('HGET', cursorsKey, itemId) or '|0') ~= load .. '|' .. after then
  return 'stale'
end
for from = FIRST, #ARGV, PUSHED_MAX do
  redis.call('RPUSH', freeKey, unpack(ARGV, from, math.min(from + PUSHED_MAX - 1, #ARGV)))
end
redis.call('HSET', cursorsKey, itemId, load .. '|' .. upTo)
return 'loaded'
