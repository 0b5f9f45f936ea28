import { z } from 'zod';

/** A threshold or a way to do less, changed at run time by an operator. */
export type SwitchRow = {
  /** What it does, for whoever is about to turn it. */
  meaning: string;
} & (
  | { type: 'boolean'; default: boolean; inDevelopment?: boolean }
  | { type: 'integer'; min: number; max: number; default: number; inDevelopment?: number }
);

/**
 * Every switch, by name. `inDevelopment` is the default where NODE_ENV is not `production`: limits that are not part of a sale are off there.
 * Rates are per gateway; a rate of 0 is no limit, and a burst is what may come at once after a pause.
 */
export const switches = {
  'reservations.enabled': { type: 'boolean', default: true, meaning: 'Off: every reservation is refused as UNAVAILABLE, replays too.' },
  'entry-tokens.enabled': { type: 'boolean', default: true, meaning: 'Off: no entry tokens are given; those given before stay good.' },
  'payments.enabled': { type: 'boolean', default: true, meaning: 'Off: no payment can be started; those under way go on.' },
  'streams.enabled': { type: 'boolean', default: true, meaning: 'Off: no new event streams; clients poll instead.' },
  'streams.open-max': { type: 'integer', min: 0, max: 200_000, default: 20_000, meaning: 'Event streams open at once, per gateway.' },
  'streams.per-account-max': { type: 'integer', min: 1, max: 1_000, default: 10, meaning: 'Event streams of one account open at once, per gateway.' },
  'limits.ip.requests-per-minute': { type: 'integer', min: 0, max: 1_000_000, default: 6_000, inDevelopment: 0, meaning: 'Requests of one address (IPv6: of its /64). Thousands of honest phones share one.' },
  'limits.ip.burst': { type: 'integer', min: 1, max: 1_000_000, default: 1_000, meaning: 'Requests of one address at once.' },
  'limits.account.requests-per-minute': { type: 'integer', min: 0, max: 1_000_000, default: 300, inDevelopment: 0, meaning: 'Requests of one account.' },
  'limits.account.burst': { type: 'integer', min: 1, max: 1_000_000, default: 100, meaning: 'Requests of one account at once: a person presses the button forty times.' },
  'limits.sale.attempts-per-minute': { type: 'integer', min: 0, max: 100_000_000, default: 0, meaning: 'Attempts of all accounts in any one sale.' },
  'challenge.tries-easiest': { type: 'integer', min: 1, max: 1_000_000, default: 1_000, meaning: 'Tries that a puzzle may take in an ordinary sale; 1,000 are some 25 ms of one core.' },
  'challenge.tries-hardest': { type: 'integer', min: 1, max: 1_000_000, default: 32_000, meaning: 'Tries that a puzzle may take under the greatest pressure.' },
  'challenge.solutions-per-second-calm': { type: 'integer', min: 1, max: 1_000_000, default: 50, meaning: 'Solutions a second, per gateway, from which puzzles get harder.' },
  'challenge.puzzles-per-account-calm': { type: 'integer', min: 1, max: 1_000, default: 3, meaning: 'Puzzles of one account within three minutes, after which each takes twice as long.' },
  'block-list.forged-attempts-max': { type: 'integer', min: 0, max: 1_000_000, default: 20, meaning: 'Forged attempts of an account in a sale within ten minutes; with more it is blocked. 0: nobody is blocked for it.' },
  'block-list.block-minutes': { type: 'integer', min: 1, max: 100_000, default: 15, meaning: 'For how long such an account is blocked.' },
  'in-flight.reservations-max': { type: 'integer', min: 1, max: 100_000, default: 10_000, meaning: 'Reservation and entry requests under way, per gateway.' },
  'in-flight.payments-max': { type: 'integer', min: 1, max: 100_000, default: 4_000, meaning: 'Payments, cancels and callbacks under way, per gateway: their own share, whatever else comes.' },
  'in-flight.reads-max': { type: 'integer', min: 1, max: 100_000, default: 10_000, meaning: 'Status polls and other reads under way, per gateway.' },
  'in-flight.staff-max': { type: 'integer', min: 8, max: 10_000, default: 500, meaning: 'Staff requests under way, per gateway.' },
} as const satisfies Record<string, SwitchRow>;

export type SwitchName = keyof typeof switches;
type ValueOf<R> = R extends { type: 'boolean' } ? boolean : number;
export type SwitchValues = { readonly [N in SwitchName]: ValueOf<(typeof switches)[N]> };

export const switchNames = Object.keys(switches) as SwitchName[];
export const isSwitchName = (name: string): name is SwitchName => Object.hasOwn(switches, name);

/** The values that somebody has set, all together; `version` rises with every change. Apply only newer ones. */
export const switchStateSchema = z.object({ version: z.int().min(0), values: z.record(z.string(), z.union([z.boolean(), z.number()])) });
export type SwitchState = z.infer<typeof switchStateSchema>;

/** What is wrong with a value, with the bounds, or null. */
export function switchFault(name: SwitchName, value: unknown): string | null {
  const row: SwitchRow = switches[name];
  if (row.type === 'boolean') return typeof value === 'boolean' ? null : 'must be true or false';
  return Number.isInteger(value) && (value as number) >= row.min && (value as number) <= row.max ? null : `must be an integer from ${row.min} to ${row.max}`;
}

/** The value of a switch that nobody has set. */
export function switchDefault(name: SwitchName, production: boolean): boolean | number {
  const row: SwitchRow = switches[name];
  return production ? row.default : row.inDevelopment ?? row.default;
}

/** Every switch's value. What this version does not know or would not take (the setter may be newer) has its default. */
export function switchValues(production: boolean, set: Readonly<Record<string, unknown>> = {}): SwitchValues {
  return Object.fromEntries(switchNames.map((name) => {
    const isGood = Object.hasOwn(set, name) && switchFault(name, set[name]) === null;
    return [name, isGood ? set[name] : switchDefault(name, production)];
  })) as SwitchValues;
}
