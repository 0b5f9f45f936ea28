import { randomUUID } from 'node:crypto';

import { nextPoll, type Api, type ApiAnswer, type Buyer } from './api.js';

/** What a buyer does once a unit is reserved. */
export const stories = ['pays', 'declines', 'cancels', 'cancels-at-once', 'leaves', 'begins-to-pay', 'pays-twice'] as const;
export type Story = (typeof stories)[number];

/** A reservation that was answered 202, and who got it. */
export interface Won {
  id: string;
  buyer: Buyer;
  story: Story;
}

const givesUpAfterMs = 90_000;

/**
 * Sends a request with its one key until the answer is definite: an outage anywhere is none.
 * @throws Error where no answer comes in time
 */
export async function persist(send: () => Promise<ApiAnswer>, definite: (answer: ApiAnswer) => boolean = () => true): Promise<ApiAnswer> {
  let last = 'nothing';
  for (const end = performance.now() + givesUpAfterMs; performance.now() < end; await nextPoll()) {
    try {
      const answer = await send();
      if (answer.status < 500 && answer.status !== 429 && definite(answer)) return answer;
      last = `${answer.status} ${answer.body?.code ?? ''}`;
    } catch (error) {
      last = String(error); // the connection broke: the outcome is unknown, and the same key finds out
    }
  }
  throw new Error(`no definite answer in ${givesUpAfterMs / 1000} s, but ${last}`);
}

/** One buyer from the first click to the end of the story, whatever dies meanwhile. Null: the sale was over or sold out. */
export async function live(api: Api, saleId: string, itemId: string, story: Story, { insists = false } = {}): Promise<Won | null> {
  const buyer = api.buyer();
  const key = randomUUID();
  const { token } = (await persist(() => api.call('POST', `/v1/sales/${saleId}/entry-token`, { token: buyer.token }))).body;
  if (!token) return null;
  const reserved = await persist(() => buyer.reserve(saleId, [{ itemId, quantity: 1 }], { key, entryToken: token }), ({ body }) => !insists || body.code !== 'SOLD_OUT');
  if (reserved.status !== 202) return null;
  const won: Won = { id: reserved.body.reservationId, buyer, story };
  await acts[story](won);
  return won;
}

const acts = {
  pays: async (won) => settle(won, { outcome: 'capture', repeat: 2 }),
  'pays-twice': async (won) => { await settle(won, { outcome: 'capture' }); await settle(won, { outcome: 'capture' }); },
  declines: async (won) => settle(won, { outcome: 'decline' }),
  'begins-to-pay': async (won) => void (await begin(won)),
  'cancels-at-once': cancel,
  cancels: async (won) => { await ordered(won); await cancel(won); },
  leaves: async () => undefined,
} as const satisfies Record<Story, (won: Won) => Promise<unknown>>;

/** Waits until the order is made, or over. */
const ordered = ({ buyer, id }: Won): Promise<unknown> => persist(() => buyer.reservation(id), ({ status, body }) => status === 200 && body.state !== 'QUEUED');

async function cancel({ buyer, id }: Won): Promise<void> {
  const key = randomUUID();
  await persist(() => buyer.cancel(id, key), ({ status }) => status !== 404);
}

/** The address where the buyer pays; null where the order cannot be paid any more. */
async function begin(won: Won): Promise<string | null> {
  await ordered(won);
  const key = randomUUID();
  return (await persist(() => won.buyer.startPayment(won.id, key))).body.redirectUrl ?? null;
}

async function settle(won: Won, outcome: Record<string, unknown>): Promise<void> {
  const redirectUrl = await begin(won);
  // The provider may have closed it meanwhile; what it says then is its own affair.
  if (redirectUrl !== null) await won.buyer.settle(redirectUrl, outcome);
}
