import type { Operation } from '../openapi/openapi.document.js';

/** What is bounded together, so that a flood of one kind leaves the others their share. */
export type RequestClass = 'reservations' | 'payments' | 'reads' | 'streams' | 'staff' | 'probes';

/** What the limits need to know of a route, found once when the route is made. */
export interface LimitedRoute {
  kind: RequestClass;
  /** Whether requests are counted per address and account. */
  counted: boolean;
  /** A reservation's replay comes before RATE_LIMITED: passing a limit is only noted, and refused in its place. */
  notes: boolean;
}

const classes: Record<string, RequestClass> = {
  createReservation: 'reservations', createEntryToken: 'reservations', createChallenge: 'reservations',
  startPayment: 'payments', cancelOrder: 'payments', receivePaymentCallback: 'payments',
  streamReservation: 'streams',
  getLiveness: 'probes', getReadiness: 'probes',
};

/** Not counted: an operator must be able to undo a limit, a provider's callbacks all come from one address, and a probe that is refused restarts a gateway. */
export function limitedRoute({ id, path }: Pick<Operation, 'id' | 'path'>): LimitedRoute {
  const kind = path.startsWith('/v1/admin/') ? 'staff' : classes[id] ?? 'reads';
  return { kind, counted: kind !== 'staff' && kind !== 'probes' && id !== 'receivePaymentCallback', notes: id === 'createReservation' };
}
