import type { View } from '@floodgate/contracts';

import type { Attempt, Purchase } from './history.js';

export const faultKinds = ['oversold', 'lost', 'duplicated', 'unexplained'] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Something that must never be. `subject` (a reservation, key, item or the sale) counts once per kind, whichever rules find it. */
export interface Fault {
  kind: FaultKind;
  subject: string;
  /** Units for oversold, else reservations or payments. */
  count: number;
  what: string;
}

/** An item as it was offered; `price` in minor units. */
export interface CheckedItem {
  itemId: string;
  quota: number;
  perAccount: number | null;
  price: number;
}

/** The records that are laid side by side: what the buyers were told, and what the platform says. */
export interface Evidence {
  items: readonly CheckedItem[];
  perAccount: number | null;
  /** An operator took the sale back: what was paid is refunded, and that breaks no promise. */
  withdrawn?: boolean;
  /** The provider may take money for what its buyer opened, whatever the buyer decided and the platform told it. */
  waywardProvider?: boolean;
  /** Reservations by which late money was to buy its units again: not every one came to something, and then the money went back. */
  boughtAgain?: ReadonlySet<string>;
  attempts: ReadonlyMap<string, Attempt>;
  purchases: ReadonlyMap<string, Purchase>;
  orders: readonly View.OrderView[];
  audit: View.AuditView;
}
