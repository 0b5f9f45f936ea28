import { accept, refuse, saleStateAt, saleTransitions, type Actor, type Outcome, type SaleAction, type SaleState } from '@floodgate/contracts';
import type { Sale } from './sale.entity.js';

/** Who may do what. Which states an action starts from, and where it leads, is the contract's table `saleTransitions`. */
export const actionRoles = {
  submit: 'merchant',
  approve: 'approver',
  reject: 'approver',
  pause: 'operator',
  resume: 'operator',
  close: 'operator',
  withdraw: 'operator',
} as const satisfies Record<SaleAction, string>;

const staffRoles = ['approver', 'operator', 'auditor'];
/** Actions on what somebody handed in: four eyes, so never by the one who did. */
const judgements: readonly SaleAction[] = ['approve', 'reject'];

export type Changes = Partial<Pick<Sale, 'state' | 'submittedBy' | 'approvedBy' | 'armError'>>;

/**
 * What an action changes, or why it may not be done.
 * Refusals: `FORBIDDEN` (role, self-approval), `INVALID_REQUEST` (a rejection without a reason), `INVALID_TRANSITION` with `state`.
 * @param nowMs the platform's clock: OPEN and the clock's ENDED follow from it
 */
export function judgeAction(sale: Sale, action: SaleAction, actor: Actor, reason: string | null, nowMs: number): Outcome<Changes> {
  const role = actionRoles[action];
  if (!actor.roles.includes(role)) return refuse('FORBIDDEN', `To ${action} a sale takes the role ${role}.`);
  if (judgements.includes(action) && (sale.submittedBy === actor.accountId || sale.editedBy === actor.accountId)) {
    return refuse('FORBIDDEN', `Whoever edited or submitted a sale may not ${action} it.`);
  }
  if (action === 'reject' && !reason) {
    return refuse('INVALID_REQUEST', 'A rejection needs a reason.', { errors: [{ path: '/reason', message: 'must not be empty' }] });
  }
  const state = saleStateAt(sale, nowMs);
  const from: readonly SaleState[] = saleTransitions[action].from;
  if (!from.includes(state)) return refuse('INVALID_TRANSITION', `A sale that is ${state} cannot be changed by ${action}.`, { state });
  if (action === 'approve' && nowMs >= sale.closesAtMs) {
    return refuse('INVALID_TRANSITION', 'The window of this sale has passed.', { state });
  }
  return accept(changesBy(action, actor.accountId));
}

/** A merchant sees the sales they own, the other staff roles all. What one may not see does not exist for them. */
export const maySee = (sale: Pick<Sale, 'merchantId'>, actor: Actor): boolean =>
  seesAll(actor) || (actor.roles.includes('merchant') && sale.merchantId === actor.accountId);

export const seesAll = (actor: Actor): boolean => staffRoles.some((role) => actor.roles.includes(role));

/** What a merchant's role allows, it allows on their own sales only, whatever else they may see. */
export const isOwner = (sale: Pick<Sale, 'merchantId'>, actor: Actor): boolean =>
  actor.roles.includes('merchant') && sale.merchantId === actor.accountId;

function changesBy(action: SaleAction, accountId: string): Changes {
  const state = saleTransitions[action].to;
  if (action === 'submit') return { state, submittedBy: accountId };
  if (action === 'approve') return { state, approvedBy: accountId, armError: null };
  // An arming that went wrong no longer matters to a sale that will not be armed.
  return { state, armError: null };
}
