import { Controller } from '@nestjs/common';
import { saleOfReservation, refuse } from '@floodgate/contracts';
import { pageQuery } from '../openapi/page-query.js';
import { Operation, writtenByHandler, type Answer, type Call } from '../openapi/operation.decorator.js';
import { Services } from '../problem/services.js';
import { ReservationReader } from './reservation-reader.js';
import { ReservationStreams } from './reservation-streams.js';

/** Where a buyer's reservations stand, once or as it happens. */
@Controller()
export class StatusController {
  constructor(private readonly services: Services, private readonly reader: ReservationReader, private readonly streams: ReservationStreams) {}

  @Operation('getReservation')
  getReservation({ path, actor }: Call): Promise<Answer> {
    return this.reader.read(path['id'] ?? '', actor.accountId);
  }

  @Operation('streamReservation')
  async streamReservation(call: Call): Promise<Answer | typeof writtenByHandler> {
    return await this.streams.open(call) ?? writtenByHandler;
  }

  @Operation('explainReservation')
  async explainReservation({ path, actor }: Call): Promise<Answer> {
    const rid = path['id'] ?? '';
    if (saleOfReservation(rid) === null) return refuse('NOT_FOUND', 'There is no such reservation.');
    const explained = await this.services.ask('explain-reservation', { rid, accountId: actor.accountId });
    if (explained.ok || explained.code !== 'NOT_FOUND') return explained;
    const held = await this.reader.findHeld(rid, actor.accountId);
    // Nothing has been decided yet, so there is nothing in the ledger.
    return held.ok ? { ok: true, value: { id: rid, state: 'QUEUED', reason: null, number: held.value.number, entries: [] } } : held;
  }

  @Operation('listMyReservations')
  listMyReservations({ query, actor }: Call): Promise<Answer> {
    const saleId = (query['saleId'] as string | undefined) ?? null;
    return this.services.ask('list-reservations', { accountId: actor.accountId, saleId, ...pageQuery(query) });
  }

  @Operation('listMyOrders')
  listMyOrders({ query, actor }: Call): Promise<Answer> {
    return this.services.ask('list-orders', { accountId: actor.accountId, ...pageQuery(query) });
  }
}
