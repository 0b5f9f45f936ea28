import { randomBytes, randomInt } from 'node:crypto';
import { Controller } from '@nestjs/common';
import { accept, refuse, saleStateAt, type Actor, type Answer, type Ask, type Outcome, type SaleView } from '@floodgate/contracts';
import { Answers } from '@floodgate/platform';
import { ArmJob } from './arm.job.js';
import { PreflightFacts } from './preflight.facts.js';
import { preflight } from './preflight.js';
import { inputOf, readSaleInput, readSalePatch } from './sale-input.js';
import type { Sale } from './sale.entity.js';
import { SaleStore } from './sale.store.js';
import { actionRoles, isOwner, judgeAction, maySee, seesAll } from './sale.transitions.js';
import { saleDocument, saleView } from './sale.view.js';

/** Everything that is asked of promotion about sales. A refusal is a value; what is thrown is an outage. */
@Controller()
export class SaleController {
  constructor(private readonly sales: SaleStore, private readonly facts: PreflightFacts, private readonly arming: ArmJob) {}

  /** A new draft of the merchant who asks. `INVALID_REQUEST` with `errors`, `FORBIDDEN`. */
  @Answers('create-sale')
  async create({ actor, input }: Ask<'create-sale'>): Promise<Answer<'create-sale'>> {
    if (!actor.roles.includes('merchant')) return notAMerchant();
    const content = readSaleInput(input, actor.accountId);
    if (!content.ok) return content;
    const nowMs = Date.now();
    const sale: Sale = {
      ...content.value, id: newSaleId(), state: 'DRAFT', version: 1, editedBy: actor.accountId, submittedBy: null, approvedBy: null, armError: null,
      ridSecret: randomBytes(32).toString('hex'), createdAtMs: nowMs, updatedAtMs: nowMs,
    };
    await this.sales.insert(sale);
    return accept(saleView(sale, nowMs));
  }

  /** Replaces top-level fields of a draft. `NOT_FOUND`, `INVALID_TRANSITION` with `state`, `INVALID_REQUEST` with `errors`. */
  @Answers('update-sale')
  async update({ actor, saleId, patch, nowMs }: Ask<'update-sale'>): Promise<Answer<'update-sale'>> {
    if (!actor.roles.includes('merchant')) return notAMerchant();
    const change = { accountId: actor.accountId, action: 'update', reason: null };
    const outcome = await this.sales.change(saleId, change, (sale) => {
      if (!isOwner(sale, actor)) return notFound();
      const state = saleStateAt(sale, nowMs);
      if (state !== 'DRAFT') return refuse('INVALID_TRANSITION', 'Only a draft can be changed.', { state });
      const content = readSalePatch(inputOf(sale), patch, actor.accountId);
      if (!content.ok) return content;
      // Who came by file, and codes, stay unless the audience itself is replaced.
      const keepsAudience = typeof patch !== 'object' || patch === null || !('audience' in patch);
      return accept({ ...content.value, ...(keepsAudience ? { audience: sale.audience } : {}), editedBy: actor.accountId });
    });
    return viewed(outcome, nowMs);
  }

  /** One sale that the actor may see, else `NOT_FOUND`. */
  @Answers('get-sale')
  async get({ actor, saleId, nowMs }: Ask<'get-sale'>): Promise<Answer<'get-sale'>> {
    return viewed(await this.findFor(actor, saleId), nowMs);
  }

  /** Newest first: a merchant's own, for other staff all. `INVALID_REQUEST` for a cursor that no page gave. */
  @Answers('list-sales')
  async list({ actor, nowMs, limit, cursor }: Ask<'list-sales'>): Promise<Answer<'list-sales'>> {
    if (cursor !== null && !/^[1-9][0-9]{0,17}$/.test(cursor)) {
      return refuse('INVALID_REQUEST', 'No page gave this cursor.', { errors: [{ path: '/query/cursor', message: 'no page gave this cursor' }] });
    }
    if (!seesAll(actor) && !actor.roles.includes('merchant')) return refuse('FORBIDDEN', 'Only staff may list sales.');
    const { sales, next } = await this.sales.page(seesAll(actor) ? null : actor.accountId, cursor, limit);
    return accept({ items: sales.map((sale) => ({ ...saleView(sale, nowMs), audience: sale.audience && { accounts: [] } })), nextCursor: next });
  }

  /** Submit, approve, reject, pause, resume, close, withdraw; see `judgeAction` for the refusals. */
  @Answers('move-sale')
  async move({ actor, saleId, action, reason, nowMs }: Ask<'move-sale'>): Promise<Answer<'move-sale'>> {
    const outcome = await this.sales.change(saleId, { accountId: actor.accountId, action, reason }, (sale) => {
      if (!maySee(sale, actor)) return notFound();
      const onOwnSalesOnly = actionRoles[action] === 'merchant' && actor.roles.includes('merchant');
      return onOwnSalesOnly && !isOwner(sale, actor) ? notFound() : judgeAction(sale, action, actor, reason, nowMs);
    });
    // Nobody waits for the next beat: whoever approves after the opening sells as soon as the sale is armed.
    if (outcome.ok && action === 'approve') void this.arming.tick();
    return viewed(outcome, nowMs);
  }

  /** The checklist before arming. */
  @Answers('preflight-sale')
  async preflight({ actor, saleId, nowMs }: Ask<'preflight-sale'>): Promise<Answer<'preflight-sale'>> {
    const found = await this.findFor(actor, saleId);
    return found.ok ? accept(preflight(found.value, await this.facts.gather(found.value), nowMs)) : found;
  }

  /** For the gateways: every sale the public may know of, with its secret; nothing of this leaves the platform. */
  @Answers('list-published')
  async listPublished({ cursor }: Ask<'list-published'>): Promise<Answer<'list-published'>> {
    const { sales, next } = await this.sales.published(cursor, Date.now());
    return { sales: sales.map(saleDocument), next };
  }

  private async findFor(actor: Actor, saleId: string): Promise<Outcome<Sale>> {
    const sale = await this.sales.find(saleId);
    return sale && maySee(sale, actor) ? accept(sale) : notFound();
  }
}

const notFound = () => refuse('NOT_FOUND', 'There is no such sale.');
const notAMerchant = () => refuse('FORBIDDEN', 'Sales are made and changed by merchants.');

const viewed = (outcome: Outcome<Sale>, nowMs: number): Outcome<SaleView> =>
  outcome.ok ? accept(saleView(outcome.value, nowMs)) : outcome;

/** Ten letters and digits, 59 bits: short enough to stand in front of every reservation's id. */
function newSaleId(): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length: 10 }, () => alphabet[randomInt(alphabet.length)]).join('');
}
