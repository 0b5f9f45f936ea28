import { Controller } from '@nestjs/common';
import { refuse, saleOfReservation, type Answer as AnswerOf } from '@floodgate/contracts';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';
import { Services } from '../problem/services.js';
import { ReservationReader } from '../status/reservation-reader.js';

const replayed = { 'idempotency-replayed': 'true' };

/** A buyer's orders: look, pay, cancel. An order's id is its reservation's. */
@Controller()
export class OrderController {
  constructor(private readonly services: Services, private readonly reader: ReservationReader) {}

  @Operation('getOrder')
  async getOrder({ path, actor }: Call): Promise<Answer> {
    const rid = path['id'] ?? '';
    if (!isOrderId(rid)) return notFound();
    const order = await this.services.ask('get-order', { rid, accountId: actor.accountId });
    if (order.ok || order.code !== 'NOT_FOUND') return order;
    // Not made yet, or nobody can know (503): either way its owner must not be told that it does not exist for ever.
    const held = await this.reader.findHeld(rid, actor.accountId);
    return held.ok ? order : held;
  }

  @Operation('startPayment')
  async startPayment({ path, headers, body, actor }: Call<{ provider: string; returnUrl?: string }>): Promise<Answer> {
    const rid = path['id'] ?? '';
    if (!isOrderId(rid)) return notFound();
    const started = await this.services.ask('start-payment', {
      rid, accountId: actor.accountId, key: headers['idempotency-key'] ?? '', provider: body.provider, returnUrl: body.returnUrl ?? null,
    });
    if (!started.ok) return started.code === 'NOT_FOUND' ? this.notPayableYet(rid, actor.accountId) : started;
    const { status, payment } = started.value;
    return { ok: true, value: payment, status, ...(started.value.replayed ? { headers: replayed } : {}) };
  }

  private async notPayableYet(rid: string, accountId: string): Promise<Answer> {
    const held = await this.reader.findHeld(rid, accountId);
    return held.ok ? refuse('INVALID_TRANSITION', 'The order is still being made.', { state: 'QUEUED' }) : held;
  }

  @Operation('cancelOrder')
  async cancelOrder({ path, headers, actor }: Call): Promise<Answer> {
    const rid = path['id'] ?? '';
    if (!isOrderId(rid)) return notFound();
    const cancelled = await this.cancel(rid, actor.accountId, headers['idempotency-key'] ?? '');
    return cancelled.ok ? { ok: true, value: cancelled.value.cancelled, ...(cancelled.value.replayed ? { headers: replayed } : {}) } : cancelled;
  }

  /** Order first; what it does not know yet is still on its way from Redis, and is cancelled before it arrives. */
  private async cancel(rid: string, accountId: string, key: string): Promise<AnswerOf<'cancel-order'>> {
    const known = await this.services.ask('cancel-order', { rid, accountId, key, reservation: null });
    if (known.ok || known.code !== 'NOT_FOUND') return known;
    const held = await this.reader.findHeld(rid, accountId);
    if (!held.ok && held.code !== 'NOT_FOUND') return held;
    const reservation = held.ok ? { rid, accountId, ...pick(held.value) } : null;
    return this.services.ask('cancel-order', { rid, accountId, key, reservation });
  }
}

function pick({ ipHash, items, number, reservedAtMs, lane }: { ipHash: string; items: { itemId: string; quantity: number }[]; number: number; reservedAtMs: number; lane: number }) {
  return { ipHash, items, number, reservedAtMs, lane };
}

const isOrderId = (rid: string): boolean => saleOfReservation(rid) !== null;
const notFound = () => refuse('NOT_FOUND', 'There is no such order.');
