import type { StuckSagaView } from '@floodgate/contracts';
import type { Call, Command, Result } from '../command/command.js';
import { limitOption, noteMore } from '../command/options.js';
import { table } from '../output/table.js';

export const sagaCommands: readonly Command[] = [
  { name: 'sagas stuck', about: 'orders that wait between two steps, oldest first: for what, how often it was tried, and when next', role: 'operator', options: [limitOption], run: stuck },
];

async function stuck({ gateway, options }: Call): Promise<Result> {
  const sagas = await gateway.list<StuckSagaView>('/v1/admin/sagas', { limit: options['limit'] as number });
  const lines = table([
    { head: 'order', cell: (one) => one.orderId }, { head: 'waits', cell: (one) => one.kind }, { head: 'since', cell: (one) => one.since }, { head: 'attempts', cell: (one) => one.attempts },
    { head: 'next', cell: (one) => one.nextAttemptAt }, { head: 'reason', cell: (one) => one.reason }, { head: 'payment', cell: (one) => one.paymentId }, { head: 'last error', cell: (one) => one.lastError, widthMax: 80 },
  ], sagas.items);
  return { value: sagas, lines: [...lines, ...noteMore(sagas.more)] };
}
