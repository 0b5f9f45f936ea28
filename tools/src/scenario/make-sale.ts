import type { View } from '@floodgate/contracts';

import { codeOf, type Answered, type Call } from './http-client.js';
import { persist } from './persist.js';
import type { Scenario } from './scenario-file.js';
import { signToken } from './sign-token.js';
import type { StagedSale, Stage } from './stage.js';

const patienceMs = 45_000;

/** The people behind the counter, each with the role that the step needs. */
export const staff = { merchant: 'shop-merchant', approver: 'shop-approver', auditor: 'shop-auditor', operator: 'shop-operator' } as const;

/** What a sale is made of, besides the plan's items. */
export type Offer = Pick<Scenario, 'title'> & { sale: Scenario['sale'] & { latePayment?: 'refund' | 'reacquire' } };

/** Terms of a sale that everybody may enter, as often as they like. */
export const freeEntry = { perAccount: null, perIp: null, attemptsPerMinute: null, challenge: 'none' } as const;

/** Tokens of the staff, from the development log-in where it is on. */
export async function staffTokens(stage: Stage): Promise<Record<keyof typeof staff, string>> {
  const entries = await Promise.all(Object.entries(staff).map(async ([role, accountId]) => {
    const answer = await ask(stage, { method: 'POST', path: '/v1/dev/login', body: { accountId, roles: [role] } });
    return [role, answer.status === 200 ? String(answer.body.token) : signToken(stage.run.jwtSecret, accountId, [role])];
  }));
  return Object.fromEntries(entries) as Record<keyof typeof staff, string>;
}

/**
 * Makes the scenario's sale as a merchant does, has it approved by somebody else, and waits until it is armed.
 * Throws one sentence when the platform does not let it come that far.
 */
export async function makeSale(stage: Stage, scenario: Offer, tokens: Record<keyof typeof staff, string>): Promise<StagedSale> {
  const nowMs = await platformTime(stage);
  const opensAtMs = nowMs + scenario.sale.opensInSeconds * 1000;
  const created = await demand(stage, 201, { method: 'POST', path: '/v1/admin/sales', token: tokens.merchant, body: saleInput(stage, scenario, opensAtMs) });
  const sale = created.body as unknown as View.SaleView;
  const path = `/v1/admin/sales/${sale.id}`;
  await move(stage, `${path}/submit`, tokens.merchant);
  await move(stage, `${path}/approve`, tokens.approver);
  await armed(stage, path, tokens.merchant);
  const bySku = new Map(sale.items.map((item) => [item.skuId, item]));
  const items = stage.plan.items.map((item) => bySku.get(skuOf(item.sku, opensAtMs)) ?? missingItem(item.sku));
  return { id: sale.id, merchant: tokens.merchant, paymentWindowMs: scenario.sale.paymentWindowSeconds * 1000, opensAtMs, items };
}

/** Waits until the platform's own clock has reached the opening. */
export async function waitForOpening(stage: Stage, sale: StagedSale): Promise<void> {
  for (let nowMs = await platformTime(stage); nowMs < sale.opensAtMs && !stage.pauses.stopped; nowMs = await platformTime(stage)) {
    await stage.pauses.sleep(Math.min(sale.opensAtMs - nowMs, 1_000));
  }
}

/** The whole answer, however long the platform takes to be there. Throws when it never is. */
export async function ask(stage: Stage, call: Call): Promise<Answered> {
  const answer = await persist(() => stage.calm.call(call), { pauses: stage.pauses, untilMs: Date.now() + patienceMs });
  if (!answer) throw new Error(stage.pauses.stopped ? 'stopped' : `${call.method} ${call.path} had no answer for ${patienceMs / 1000} s`);
  return answer;
}

/** The answer with this status. Throws one sentence when it has another. */
export async function demand(stage: Stage, status: number, call: Call): Promise<Answered> {
  const answer = await ask(stage, call);
  if (answer.status === status) return answer;
  throw refusedStep(call, answer);
}

/** A step of the sale. A repetition of a step whose answer was lost finds it done. */
async function move(stage: Stage, path: string, token: string): Promise<void> {
  const call = { method: 'POST', path, token } as const;
  const answer = await ask(stage, call);
  if (answer.status === 200) return;
  const done = path.endsWith('/submit') ? ['SUBMITTED'] : ['APPROVED', 'ARMED', 'OPEN'];
  if (answer.status !== 409 || !done.includes(String(answer.body.state))) throw refusedStep(call, answer);
}

async function armed(stage: Stage, path: string, token: string): Promise<void> {
  const untilMs = Date.now() + patienceMs;
  for (let last = 'APPROVED'; ;) {
    const { body } = await demand(stage, 200, { method: 'GET', path, token });
    if (body.state === 'ARMED' || body.state === 'OPEN') return;
    last = typeof body.armError === 'string' ? body.armError : String(body.state);
    if (Date.now() > untilMs || stage.pauses.stopped) throw new Error(`the sale was not armed within ${patienceMs / 1000} s: ${last}`);
    await stage.pauses.sleep(250);
  }
}

async function platformTime(stage: Stage): Promise<number> {
  const { body } = await demand(stage, 200, { method: 'GET', path: '/v1/time' });
  return Date.parse(String(body.now));
}

function saleInput(stage: Stage, scenario: Offer, opensAtMs: number): unknown {
  const { sale } = scenario;
  return {
    title: scenario.title,
    merchantId: staff.merchant,
    mode: 'race',
    opensAt: new Date(opensAtMs).toISOString(),
    closesAt: new Date(opensAtMs + sale.closesAfterSeconds * 1000).toISOString(),
    paymentWindowSeconds: sale.paymentWindowSeconds,
    limits: Object.fromEntries(Object.entries({ perAccount: sale.perAccount, perIp: sale.perIp, attemptsPerMinute: sale.attemptsPerMinute }).filter(([, limit]) => limit !== null)),
    challenge: sale.challenge,
    ...(sale.latePayment === undefined ? {} : { latePayment: sale.latePayment }),
    items: stage.plan.items.map((item) => ({
      skuId: skuOf(item.sku, opensAtMs), title: item.title, kind: 'goods', price: { amount: item.price, currency: sale.currency }, quota: item.quota, perAccount: item.perAccount,
    })),
  };
}

/** The real stock behind a SKU outlives a sale, so each run sells its own SKUs: a second run must not find the first one's warehouse empty. */
const skuOf = (sku: string, opensAtMs: number): string => `${sku}.${opensAtMs.toString(36)}`;

function refusedStep(call: Call, answer: Answered): Error {
  const detail = typeof answer.body.detail === 'string' ? answer.body.detail : '';
  const faults = Array.isArray(answer.body.errors) ? ` ${JSON.stringify(answer.body.errors.slice(0, 3))}` : '';
  return new Error(`${call.method} ${call.path} was answered ${answer.status} ${codeOf(answer)}: ${detail}${faults}`);
}

function missingItem(sku: string): never {
  throw new Error(`the sale was made without product ${sku}`);
}
