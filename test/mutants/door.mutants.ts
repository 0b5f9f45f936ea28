import type { Mutant } from '../../tools/src/mutants/mutant.js';

/** Guards of the gateways, of who may do what, and of switches. */
export const doorMutants: readonly Mutant[] = [
  {
    name: 'limit-not-applied', guard: 'who passes a rate is told to come later',
    file: 'apps/gateway/src/limits/request-limits.ts',
    find: 'if (isFlood && !(route.notes && mayHold(request))) return rateLimited(limited);', replace: '',
    test: { path: 'apps/gateway/src/limits/limits.spec.ts', name: 'are limited, with a time after which to come again' },
  },
  {
    name: 'left-most-hop', guard: 'the client address is the right-most untrusted hop',
    file: 'apps/gateway/src/admission/client-address.ts',
    find: 'forwardedFor?.slice(comma + 1, end).trim()', replace: "forwardedFor?.split(',')[0]?.trim()",
    test: { path: 'apps/gateway/src/limits/limits.spec.ts', name: 'are those of the right-most untrusted hop' },
  },
  {
    name: 'every-ipv6-address-counts', guard: 'IPv6 is counted by the /64',
    file: 'apps/gateway/src/admission/client-address.ts',
    find: '(isIPv6(address) ? network64(address) : address)', replace: 'address',
    test: { path: 'apps/gateway/src/limits/limits.spec.ts', name: 'are those of the whole /64' },
  },
  {
    name: 'limited-key-is-forgotten', guard: 'a crowd of addresses does not free the one that is limited',
    file: 'apps/gateway/src/limits/token-buckets.ts',
    find: 'this.fullAtMs[slot]! < this.fullAtMs[fullest]!', replace: 'this.fullAtMs[slot]! > this.fullAtMs[fullest]!',
    test: { path: 'apps/gateway/src/limits/token-buckets.spec.ts', name: 'do not free those that are limited' },
  },
  {
    name: 'winner-is-rate-limited', guard: 'a replay comes before RATE_LIMITED',
    file: 'apps/gateway/src/reservation/reservation.flow.ts',
    find: '&& this.mayHold(document.saleId, actor.accountId)) return null;', replace: '&& false) return null;',
    test: { path: 'apps/gateway/src/limits/limits.spec.ts', name: 'of somebody who was admitted still reaches the replay' },
  },
  {
    name: 'rate-before-items', guard: 'the script judges a rate after the items',
    file: 'apps/seckill/src/stock/reserve.lua',
    find: ' and not rateLimited', replace: '',
    test: { path: 'apps/seckill/src/stock/stock.store.int-spec.ts', name: 'comes after replay, state and unknown items' },
  },
  {
    name: 'switch-not-audited', guard: 'the audit log says who set a switch',
    file: 'apps/promotion/src/switches/switch.store.ts',
    find: "await this.auditLog.add(tx, { accountId, action: 'set-switch',", replace: "Object.freeze({ accountId, action: 'set-switch',",
    test: { path: 'apps/promotion/src/switches/switch.controller.int-spec.ts', name: 'are set with an entry in the audit log' },
  },
  {
    name: 'older-switches', guard: 'an older word about the switches does not undo a newer one',
    file: 'apps/gateway/src/switches/switches.ts',
    find: 'if (version <= this.version) return;', replace: '',
    test: { path: 'apps/gateway/src/switches/switches.spec.ts', name: 'go by version' },
  },
];
