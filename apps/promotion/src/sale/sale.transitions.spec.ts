import { describe, expect, it } from '@jest/globals';
import { saleActions, saleStateAt, saleTransitions, storedSaleStates, type Actor, type SaleAction, type SaleState, type StoredSaleState } from '@floodgate/contracts';
import { draftSale } from './sale.samples.js';
import { actionRoles, isOwner, judgeAction, maySee } from './sale.transitions.js';

const opensAtMs = 1_000;
const closesAtMs = 2_000;
const times = { before: 500, during: 1_500, after: 2_500 };
const everyCase = storedSaleStates.flatMap((state) => Object.keys(times).flatMap((when) =>
  saleActions.map((action) => [action, state, when as keyof typeof times] as const)));

const sale = (state: StoredSaleState) => ({ ...draftSale(), state, opensAtMs, closesAtMs, submittedBy: 'merchant-1' });
const holder = (action: SaleAction): Actor => ({ accountId: 'somebody', roles: [actionRoles[action]] });

describe('transitions of a sale', () => {
  it.each(everyCase)('%s of a sale stored as %s, %s its window', (action, state, when) => {
    const nowMs = times[when];
    const seen = saleStateAt(sale(state), nowMs);
    const outcome = judgeAction(sale(state), action, holder(action), 'because', nowMs);
    const from: readonly SaleState[] = saleTransitions[action].from;
    const allowed = from.includes(seen) && !(action === 'approve' && when === 'after');
    expect(outcome).toMatchObject(allowed
      ? { ok: true, value: { state: saleTransitions[action].to } }
      : { ok: false, code: 'INVALID_TRANSITION', extra: { state: seen } });
  });

  it.each(saleActions)('%s takes its role', (action) => {
    const others = Object.values(actionRoles).filter((role) => role !== actionRoles[action]);
    for (const stored of storedSaleStates) {
      const outcome = judgeAction(sale(stored), action, { accountId: 'somebody', roles: [...others, 'auditor', 'buyer'] }, 'because', times.during);
      expect(outcome).toMatchObject({ ok: false, code: 'FORBIDDEN' });
    }
  });

  it.each(['approve', 'reject'] as const)('%s is never for the one who submitted', (action) => {
    const actor = { accountId: 'merchant-1', roles: ['merchant', 'approver'] };
    expect(judgeAction(sale('SUBMITTED'), action, actor, 'because', times.before)).toMatchObject({ ok: false, code: 'FORBIDDEN' });
  });

  it('notes who submitted and who approved', () => {
    expect(judgeAction(sale('DRAFT'), 'submit', holder('submit'), null, 0)).toMatchObject({ value: { submittedBy: 'somebody' } });
    expect(judgeAction(sale('SUBMITTED'), 'approve', holder('approve'), null, 0)).toMatchObject({ value: { approvedBy: 'somebody' } });
  });

  it.each([null, ''])('a rejection needs a reason, %p is none', (reason) => {
    expect(judgeAction(sale('SUBMITTED'), 'reject', holder('reject'), reason, 0)).toMatchObject({
      code: 'INVALID_REQUEST', extra: { errors: [{ path: '/reason' }] },
    });
  });
});

describe('who sees a sale', () => {
  const own = sale('DRAFT');
  it.each([
    [['merchant'], own.merchantId, true, true],
    [['merchant'], 'another', false, false],
    [['merchant', 'auditor'], 'another', true, false],
    [['approver'], 'another', true, false],
    [['operator'], 'another', true, false],
    [['auditor'], 'another', true, false],
    [['buyer'], own.merchantId, false, false],
    [[], own.merchantId, false, false],
  ])('roles %p as %s: sees %p, changes %p', (roles, accountId, sees, changes) => {
    expect(maySee(own, { accountId, roles })).toBe(sees);
    expect(isOwner(own, { accountId, roles })).toBe(changes);
  });
});
