#!lua
-- One grab of a peer: a unit if there is one and the buyer may have it.
--
-- KEYS[1] stock   KEYS[2] buyers
-- ARGV[1] user   ARGV[2] the most that one user may have
-- Returns reserved | sold-out | limit-reached
local stock, buyers, user, most = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])
if tonumber(redis.call('GET', stock) or '0') < 1 then return 'sold-out' end
if tonumber(redis.call('HGET', buyers, user) or '0') >= most then return 'limit-reached' end
redis.call('DECR', stock)
redis.call('HINCRBY', buyers, user, 1)
return 'reserved'
