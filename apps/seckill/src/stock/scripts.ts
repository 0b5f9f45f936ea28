import { RedisScript } from './redis.script.js';

/** Every script of a lane. Only `reserve` sells, and only LoadStore loads it; the others travel with their text where they must. */
export const scripts = {
  reserve: new RedisScript('reserve.lua'),
  sync: new RedisScript('sync.lua'),
  changeState: new RedisScript('change-state.lua'),
  load: new RedisScript('load.lua'),
  recount: new RedisScript('recount.lua'),
  open: new RedisScript('open.lua'),
  board: new RedisScript('board.lua'),
  relay: new RedisScript('relay.lua'),
} as const;
