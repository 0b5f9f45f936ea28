import type { Reservation } from '@floodgate/contracts';
import { classifyFailure, Database, errorText, Publisher, readReplay, type DeadLetter, type DeliveryOf } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { OrderStore } from '../order/order.store.js';
import { PurchaseSaga } from '../place-order/purchase.saga.js';
import { SaleMissingError } from '../sale/sale.store.js';

type Letter = Omit<DeadLetter, 'reason'>;
type PlaceOrder = DeliveryOf<'order.place-order'>['body'];

/** Carries what a rehearsal has seen out of its transaction, which ends with it. */
class Rehearsed extends Error {
  constructor(readonly changes: string[]) {
    super('a rehearsal is always rolled back');
  }
}

/** Sends dead letters again, or says beforehand what that would lead to. */
@Injectable()
export class ReplayRehearsal {
  constructor(
    private readonly database: Database,
    private readonly saga: PurchaseSaga,
    private readonly orders: OrderStore,
    private readonly publisher: Publisher,
  ) {}

  /** @throws PublishError code and outcome */
  send(letter: Letter): Promise<void> {
    return this.publisher.replay(letter);
  }

  /**
   * Reads the message as its consumer would, and where that is this service's place-order, does its work in a transaction that is
   * rolled back. Whatever else could go wrong in the meantime is not foreseen. Returns one of
   * `would-die-again: <why>` · `would-be-processed: <what changes>` · `would-be-acknowledged: <why nothing is left to do>` ·
   * `would-be-republished: <who alone knows more>`.
   * @throws InfrastructureError where a server is away: then nobody can say
   */
  async rehearse(letter: Letter): Promise<string> {
    let message: ReturnType<typeof readReplay>;
    try {
      message = readReplay(letter);
    } catch (error) {
      if (classifyFailure(error) !== 'permanent') throw error;
      return `would-die-again: ${errorText(error)}`;
    }
    if (letter.queue !== 'order.place-order' || message.name !== 'place-order') return `would-be-republished: it can be read; what ${letter.queue} makes of it shows only then`;
    return this.rehearsePlacing(message.body);
  }

  /** As the consumer does: all together, and one by one where that fails. */
  private async rehearsePlacing(body: PlaceOrder): Promise<string> {
    const together = await this.place(body, body.reservations);
    if (Array.isArray(together)) return told(together);
    if (body.reservations.length === 1 || together instanceof SaleMissingError) return `would-die-again: ${errorText(together)}`;
    const alone = await this.oneByOne(body);
    const failed = alone.filter((result) => !Array.isArray(result));
    const changes = alone.flatMap((result) => (Array.isArray(result) ? result : []));
    if (failed.length === 0) return told(changes);
    return `would-die-again: ${failed.length} of ${alone.length} reservations, ${errorText(failed[0])}${changes.length > 0 ? `; of the others: ${counted(changes)}` : ''}`;
  }

  private async oneByOne(body: PlaceOrder): Promise<(string[] | Error)[]> {
    const results: (string[] | Error)[] = [];
    for (const reservation of body.reservations) results.push(await this.place(body, [reservation]));
    return results;
  }

  /** What the orders of these reservations would change to, or the error that would stop them. */
  private async place({ saleId, lane }: PlaceOrder, reservations: readonly Reservation[]): Promise<string[] | Error> {
    const rids = reservations.map(({ rid }) => rid);
    try {
      return await this.database.transaction(async (tx): Promise<never> => {
        const before = new Map((await this.orders.read(tx, saleId, rids)).map((order) => [order.rid, order.state]));
        await this.saga.place(tx, saleId, lane, reservations);
        await tx.query('SET CONSTRAINTS ALL IMMEDIATE'); // what a COMMIT would find
        const after = await this.orders.read(tx, saleId, rids);
        throw new Rehearsed(after.filter((order) => order.state !== before.get(order.rid)).map((order) => `${before.get(order.rid) ?? 'no order'} to ${order.state}`));
      });
    } catch (error) {
      if (error instanceof Rehearsed) return error.changes;
      if (classifyFailure(error) === 'infrastructure') throw error;
      return error as Error;
    }
  }
}

const told = (changes: string[]): string =>
  changes.length > 0 ? `would-be-processed: ${counted(changes)}` : 'would-be-acknowledged: every order of it is decided already, nothing would change';

/** `2 STUCK to PENDING, 1 no order to CLOSED`. */
function counted(changes: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const change of changes) counts.set(change, (counts.get(change) ?? 0) + 1);
  return [...counts].map(([change, count]) => `${count} ${change}`).join(', ');
}
