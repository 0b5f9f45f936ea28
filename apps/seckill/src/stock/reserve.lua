#!lua
-- Decides a vector of attempts of one lane in order, then writes what was admitted: units, limits, reservations, one relay entry.
-- Every attempt is decided before the first write, because Lua has no rollback; later attempts see what earlier ones took.
--
-- KEYS[1] sale   KEYS[2] stock   KEYS[3] resv   KEYS[4] buyer   KEYS[5] ip   KEYS[6] relay   KEYS[7] admitted
-- ARGV[1] epoch the caller believes in
-- ARGV[2] deadlineAtMs, of Redis's clock: later than that nothing is done
-- ARGV[3..] per attempt: rid, accountId, ipHash, gate, items (id:quantity,... sorted)
--   gate `operator`: units are taken out of sale for good; neither the buyers' limits nor a pause nor the opening apply
-- Returns { word, nowMs, epoch, relayId ('' if nothing was reserved), attempt... }
--   word: selling | forgotten | stale-epoch | not-selling | late (only `selling` is followed by attempts)
--   attempt: reserved|number|reservedAtMs   replayed|number|reservedAtMs|unconfirmed (0, 1)|ipHash   key-reused   not-open   paused   ended
--            gated   item-not-found|itemId   limit-reached|scope|limit   sold-out|itemId|remaining|mayReturn (0, 1)   malformed
local saleKey, stockKey, resvKey, buyerKey, ipKey, relayKey, admittedKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local epoch, deadlineAtMs = ARGV[1], tonumber(ARGV[2])
local FIRST, WIDTH, ITEMS_MAX = 3, 5, 20
local BUYER, OPERATOR = { pattern = '^([%w._~-]+):([1-9]%d?%d?)$', max = 100 }, { pattern = '^([%w._~-]+):([1-9]%d*)$', max = 2147483647 }
local RECORD = '^(%d+)|[01]|[01]|(%d+)|(%d+)|[^|]*|([^|]*)|([^|]*)|([^|]*)|(.*)$'

local time = redis.call('TIME')
local nowMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local nowText = string.format('%.0f', nowMs)
local sale = redis.call('HMGET', saleKey, 'epoch', 'selling', 'state', 'opensAtMs', 'closesAtMs', 'perAccount', 'perIp', 'seq', 'load')
local laneEpoch, selling, state = sale[1], sale[2], sale[3]
local opensAtMs, closesAtMs = tonumber(sale[4]), tonumber(sale[5])
local perAccount, perIp = tonumber(sale[6] or ''), tonumber(sale[7] or '')
local number, load = tonumber(sale[8] or '0'), sale[9]

if not laneEpoch then return { 'forgotten', nowText, '0', '' } end
if laneEpoch ~= epoch then return { 'stale-epoch', nowText, laneEpoch, '' } end
if selling ~= '1' then return { 'not-selling', nowText, laneEpoch, '' } end
if nowMs > deadlineAtMs then return { 'late', nowText, laneEpoch, '' } end

local count = (#ARGV - FIRST + 1) / WIDTH
local rids = {}
for i = 1, count do rids[i] = ARGV[FIRST + (i - 1) * WIDTH] end
local records = redis.call('HMGET', resvKey, unpack(rids))

-- What the vector has read and taken so far; written back at the end.
local available, unsettled, itemLimit = {}, {}, {}
local used, usedByIp = {}, {}
local fresh, admitted, wishes = {}, {}, {}
local stockForgotten = false

local function readStock(itemId)
  if available[itemId] ~= nil then return end
  local row = redis.call('HMGET', stockKey, itemId, itemId .. '|unsettled', itemId .. '|limit')
  available[itemId] = row[1] and tonumber(row[1]) or false
  unsettled[itemId] = tonumber(row[2] or '0')
  itemLimit[itemId] = tonumber(row[3] or '')
  if not row[1] and redis.call('EXISTS', stockKey) == 0 then stockForgotten = true end
end

local function readUnits(cache, key, field)
  if not cache[field] then cache[field] = tonumber(redis.call('HGET', key, field) or '0') end
  return cache[field]
end

-- The items as a list of { itemId, quantity }, false if malformed: a quantity like -5, 1e3 or nan must never reach the arithmetic.
local function parse(items, quantities)
  local list, seen, total, length = {}, {}, 0, 0
  for pair in string.gmatch(items .. ',', '([^,]*),') do
    local itemId, digits = string.match(pair, quantities.pattern)
    local quantity = tonumber(digits or '')
    if not itemId or quantity > quantities.max or seen[itemId] then return false end
    seen[itemId] = true
    length, total = length + 1, total + quantity
    list[length] = { itemId, quantity }
    readStock(itemId)
    if not available[itemId] and not list.missing then list.missing = itemId end
  end
  if length == 0 or length > ITEMS_MAX then return false end
  list.total = total
  return list
end

-- Most attempts of a vector ask for the same.
local function wish(items)
  local list = wishes[items]
  if list == nil then
    list = parse(items, BUYER)
    wishes[items] = list
  end
  return list
end

local function stateRefusal(gate)
  -- Who comes back with late money was admitted in time.
  if gate == 'readmitted' then return state == 'WITHDRAWN' and 'ended' or nil end
  if state == 'WITHDRAWN' or state == 'ENDED' or nowMs >= closesAtMs then return 'ended' end
  if gate == 'operator' then return nil end
  if state == 'PAUSED' then return 'paused' end
  if state ~= 'ARMED' or nowMs < opensAtMs then return 'not-open' end
  return nil
end

local function replay(rid, record, accountId, items)
  local earlier = fresh[rid]
  if earlier then
    if earlier.items ~= items or earlier.accountId ~= accountId then return 'key-reused' end
    return 'replayed|' .. earlier.number .. '|' .. nowText .. '|1|' .. earlier.ipHash
  end
  if not record then return nil end
  local version, recNumber, reservedAtMs, relayId, recAccount, recIp, recItems = string.match(record, RECORD)
  if recItems ~= items or recAccount ~= accountId then return 'key-reused' end
  -- Once Postgres has spoken of it the message has plainly arrived; before, only the confirm that removes the relay entry says so.
  local unconfirmed = version == '0' and relayId ~= '' and #redis.call('XRANGE', relayKey, relayId, relayId) > 0
  return 'replayed|' .. recNumber .. '|' .. reservedAtMs .. '|' .. (unconfirmed and '1' or '0') .. '|' .. recIp
end

local function limitRefusal(list, total, accountId, ipHash)
  if perAccount and readUnits(used, buyerKey, accountId) + total > perAccount then return 'limit-reached|sale|' .. sale[6] end
  for _, item in ipairs(list) do
    local limit = itemLimit[item[1]]
    if limit and readUnits(used, buyerKey, accountId .. '|' .. item[1]) + item[2] > limit then return 'limit-reached|item|' .. limit end
  end
  if perIp and ipHash ~= '' and readUnits(usedByIp, ipKey, ipHash) + total > perIp then return 'limit-reached|ip|' .. sale[7] end
  return nil
end

local function stockRefusal(list)
  for _, item in ipairs(list) do
    local left = available[item[1]]
    if left < item[2] then
      return 'sold-out|' .. item[1] .. '|' .. math.max(left, 0) .. '|' .. (unsettled[item[1]] > 0 and '1' or '0')
    end
  end
  return nil
end

local function decide(rid, record, accountId, ipHash, gate, items)
  local refusal = (gate ~= 'entry-token-forged' and replay(rid, record, accountId, items)) or stateRefusal(gate)
  if refusal then return refusal end
  local rateLimited, byOperator = string.sub(gate, 1, 5) == 'rate-', gate == 'operator'
  if gate ~= 'clear' and gate ~= 'readmitted' and not rateLimited and not byOperator then return 'gated' end
  local list
  if byOperator then list = parse(items, OPERATOR) else list = wish(items) end
  if not list then return 'malformed' end
  if list.missing then return 'item-not-found|' .. list.missing end
  if rateLimited then return 'gated' end
  local total = list.total
  refusal = (not byOperator and limitRefusal(list, total, accountId, ipHash)) or stockRefusal(list)
  if refusal then return refusal end
  for _, item in ipairs(list) do
    local itemId, quantity = item[1], item[2]
    available[itemId] = available[itemId] - quantity
    unsettled[itemId] = unsettled[itemId] + quantity
    if itemLimit[itemId] then used[accountId .. '|' .. itemId] = readUnits(used, buyerKey, accountId .. '|' .. itemId) + quantity end
  end
  if perAccount then used[accountId] = readUnits(used, buyerKey, accountId) + total end
  if perIp and ipHash ~= '' then usedByIp[ipHash] = usedByIp[ipHash] + total end
  number = number + 1
  fresh[rid] = { rid = rid, number = string.format('%.0f', number), accountId = accountId, ipHash = ipHash, items = items }
  admitted[#admitted + 1] = fresh[rid]
  return 'reserved|' .. fresh[rid].number .. '|' .. nowText
end

local results = { 'selling', nowText, laneEpoch, '' }
for i = 1, count do
  local at = FIRST + (i - 1) * WIDTH
  results[i + 4] = decide(ARGV[at], records[i], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4])
end
-- The lane's stock is gone although its sale is there: somebody deleted it. Nothing has been written yet.
if stockForgotten then return { 'forgotten', nowText, laneEpoch, '' } end
if #admitted == 0 then return results end

-- From here on only writes. unpack is bounded by Lua's stack, so long lists go out in pieces.
local function setAll(key, values)
  local pairsList = {}
  for field, value in pairs(values) do
    pairsList[#pairsList + 1] = field
    pairsList[#pairsList + 1] = value
    if #pairsList == 2000 then
      redis.call('HSET', key, unpack(pairsList))
      pairsList = {}
    end
  end
  if #pairsList > 0 then redis.call('HSET', key, unpack(pairsList)) end
end

local admittedRids, admittedAccounts, newRecords, newStock = {}, {}, {}, {}
for i, entry in ipairs(admitted) do
  admittedRids[i], admittedAccounts[i] = entry.rid, entry.accountId
end
local relayId = redis.call('XADD', relayKey, '*', 'rids', table.concat(admittedRids, ' '))
for itemId, left in pairs(available) do
  if left then
    newStock[itemId] = left
    newStock[itemId .. '|unsettled'] = unsettled[itemId]
  end
end
for _, entry in ipairs(admitted) do
  newRecords[entry.rid] = table.concat({ '0|1|0', entry.number, nowText, load, relayId, entry.accountId, entry.ipHash, entry.items }, '|')
end
setAll(stockKey, newStock)
setAll(resvKey, newRecords)
setAll(buyerKey, used)
setAll(ipKey, usedByIp)
redis.call('RPUSH', admittedKey, unpack(admittedAccounts))
redis.call('HSET', saleKey, 'seq', string.format('%.0f', number))
results[4] = relayId
return results
