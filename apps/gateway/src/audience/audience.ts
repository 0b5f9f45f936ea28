/** Who may buy in one sale: eight bytes for each member, in rising order, and those who came by a code since. */
export class Audience {
  /** The last guest that is known. */
  guestsTo = 0;
  private readonly guests = new Set<number>();

  constructor(private readonly members: Float64Array) {}

  get size(): number {
    return this.members.length + this.guests.size;
  }

  addGuests(hashes: readonly number[], last: number): void {
    for (const hash of hashes) this.guests.add(hash);
    this.guestsTo = Math.max(this.guestsTo, last);
  }

  /** @param hash see `audienceHash` */
  has(hash: number): boolean {
    if (this.guests.has(hash)) return true;
    let [low, high] = [0, this.members.length - 1];
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const member = this.members[middle]!;
      if (member === hash) return true;
      if (member < hash) low = middle + 1;
      else high = middle - 1;
    }
    return false;
  }
}
