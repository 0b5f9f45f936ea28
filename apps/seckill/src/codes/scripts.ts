import { RedisScript } from '../stock/redis.script.js';

/** They may travel with their text: a Redis that has forgotten which codes are free cannot give one away, since Postgres decides. */
export const scripts = {
  issueCodes: new RedisScript('issue-codes.lua', import.meta.url),
  loadCodes: new RedisScript('load-codes.lua', import.meta.url),
  settleCodes: new RedisScript('settle-codes.lua', import.meta.url),
} as const;
