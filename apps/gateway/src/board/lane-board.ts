import type { BoardLane } from '@floodgate/contracts';

export interface ItemStock {
  available: number;
  /** Units held by unpaid orders, which may return. */
  unsettled: number;
  /** Redis's clock at the read. */
  atMs: number;
}

/** What this gateway knows of one lane. Messages may overtake each other, so each item keeps the time of its own reading. */
export class LaneBoard {
  epoch = 0;
  version = 0;
  state: BoardLane['state'] = 'ARMED';
  selling = false;
  /** Redis's clock at the newest read. */
  atMs = 0;
  /** Items with something left: the sale is sold out when no lane has any. */
  itemsLeft = 0;
  unsettledUnits = 0;
  readonly items = new Map<string, ItemStock>();
  private admissions = 0;

  /** @returns whether nothing is missing between what was known and this message */
  apply(message: BoardLane, admitted: Set<number>): boolean {
    const begins = message.epoch > this.epoch;
    if (begins) this.begin(message.epoch);
    if (message.epoch === this.epoch) this.applyState(message);
    const complete = message.admittedFrom <= this.admissions && (!begins || message.whole);
    this.admissions = Math.max(this.admissions, message.admittedFrom + message.admitted.length);
    // Accounts are only ever added: one too many costs an early refusal, one too few cuts a winner off from the replay.
    for (const hash of message.admitted) admitted.add(hash);
    return complete;
  }

  private begin(epoch: number): void {
    this.epoch = epoch;
    this.atMs = 0;
    this.items.clear();
    this.itemsLeft = 0;
    this.unsettledUnits = 0;
    this.admissions = 0;
  }

  private applyState(message: BoardLane): void {
    if (message.atMs >= this.atMs) {
      this.atMs = message.atMs;
      this.selling = message.selling;
      this.version = message.version;
      this.state = message.state;
    }
    for (const [itemId, available, unsettled] of message.items) this.applyItem(itemId, { available, unsettled, atMs: message.atMs });
  }

  private applyItem(itemId: string, stock: ItemStock): void {
    const before = this.items.get(itemId);
    if (before && before.atMs > stock.atMs) return;
    this.items.set(itemId, stock);
    this.itemsLeft += Number(stock.available > 0) - Number((before?.available ?? 0) > 0);
    this.unsettledUnits += stock.unsettled - (before?.unsettled ?? 0);
  }
}
