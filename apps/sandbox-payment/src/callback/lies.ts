import { randomUUID } from 'node:crypto';
import type { Misbehaviour } from '../misbehaviour/misbehaviour.js';
import { signature } from './signature.js';

/** What a misbehaving provider sends beside a true notice. None of it may change anything. */
export const lies = ['wrongAmount', 'unknownType', 'staleTimestamp', 'forgedSignature'] as const;
export type Lie = (typeof lies)[number];

interface NoticeBody {
  id: string;
  type: string;
  amount: { amount: number; currency: string };
}

/** Older than any receiver may accept. */
const staleMs = 600_000;

export const drawLies = (misbehaviour: Misbehaviour): Lie[] => lies.filter((lie) => misbehaviour.happens(lie));

/** The bytes and the `x-signature` of a lie about the notice with this body. */
export function lieAbout(lie: Lie, trueBody: string, secret: string, nowMs: number): { body: string; signature: string } {
  const notice = JSON.parse(trueBody) as NoticeBody;
  const changed = (changes: object) => JSON.stringify({ ...notice, id: `ev-${randomUUID()}`, ...changes });
  switch (lie) {
    case 'wrongAmount': {
      const body = changed({ amount: { ...notice.amount, amount: notice.amount.amount + 1 } });
      return { body, signature: signature(secret, body, nowMs) };
    }
    case 'unknownType': {
      const body = changed({ type: 'payment.dreamt' });
      return { body, signature: signature(secret, body, nowMs) };
    }
    case 'staleTimestamp':
      return { body: trueBody, signature: signature(secret, trueBody, nowMs - staleMs) };
    case 'forgedSignature': {
      // The opposite of the truth, so that whoever believed it would be seen to.
      const body = changed({ type: notice.type === 'payment.captured' ? 'payment.declined' : 'payment.captured' });
      return { body, signature: signature(`not ${secret}`, body, nowMs) };
    }
  }
}
