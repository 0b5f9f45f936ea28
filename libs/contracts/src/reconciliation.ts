/** What can be done about a difference between Redis and Postgres, and what it means. Only the first two are ever done by the platform itself. */
export const mends = {
  republish: 'the message of the reservation is sent again, as it was; Postgres judges it once',
  resend: 'the word of Postgres is sent again with its version; Redis takes it if it is newer',
  'with-others': 'the counter is right for what Redis has on record: it follows the reservations and allotments that are listed with it',
  wait: 'younger than the reaper waits: its message may well be under way',
  recount: 'the counter is not what Redis has on record: SCRIPT FLUSH on that Redis makes the fence load its lanes again, which counts anew; selling stops for seconds',
  reload: 'no version of Postgres outranks what Redis has: remove the keys {SALE:LANE}:* of the lane, and the fence loads it from Postgres alone; selling stops for seconds',
  operator: 'Postgres contradicts itself, or has forgotten what it said: look at the audit and at the last restore before anything is emptied',
} as const;
export type Mend = keyof typeof mends;

/** One place where Redis and Postgres differ, and what each has on record there, in words. `subject`: a reservation, of `available` an item. */
export interface DifferenceView { kind: string; lane: number | null; subject: string; redis: string; postgres: string; mend: Mend; advice: string }

/** Where a sale's Redis and Postgres differ. `settling` above 0: something is under way, and may end a difference by itself. */
export interface ReconciliationView {
  saleId: string;
  asOf: string;
  settling: number;
  /** What was sent to mend it; empty where nothing was to be fixed. */
  mended: DifferenceView[];
  /** What is there; after a fix, what is left. At most 500, `more` counts the rest. */
  differences: DifferenceView[];
  more: number;
}
