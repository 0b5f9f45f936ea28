import { setTimeout as pause } from 'node:timers/promises';
import type { SaleView } from '@floodgate/contracts';
import type { Call, Option, Result } from '../command/command.js';
import { integer } from '../command/options.js';
import { Failure } from '../failure.js';

export const armSeconds: Option = { flags: '--wait <seconds>', about: 'how long to wait for it', parse: integer('--wait', 0, 3_600), default: 15 };

const lookAgainMs = 500;
/** Approval arms at once, or this long before the opening. */
const armsBeforeOpeningMs = 600_000;
const armed: readonly SaleView['state'][] = ['ARMED', 'OPEN', 'PAUSED'];

/** The platform arms approved sales by itself; this gives the approval where it is missing, and says what came of it. */
export async function armSale({ gateway, options, stop }: Call, path: string): Promise<Result> {
  const deadline = Date.now() + (options['wait'] as number) * 1_000;
  let sale = await gateway.get<SaleView>(path);
  if (sale.state === 'SUBMITTED') sale = await gateway.post<SaleView>(`${path}/approve`);
  while (sale.state === 'APPROVED' && sale.armError === null && !isLater(sale) && Date.now() < deadline) {
    await pause(lookAgainMs, undefined, { signal: stop }).catch(() => {
      throw new Failure('interrupted', `stopped while ${sale.id} was not armed yet; the platform goes on trying`);
    });
    sale = await gateway.get<SaleView>(path);
  }
  return judge(sale);
}

function judge(sale: SaleView): Result {
  if (armed.includes(sale.state)) return { value: sale, lines: [`${sale.id} is ${sale.state}`] };
  if (sale.state !== 'APPROVED') return { value: sale, lines: [`${sale.id} is ${sale.state}: only a submitted or approved sale can be armed`], ending: 'refused' };
  if (sale.armError !== null) return { value: sale, lines: [`${sale.id} is not armed: ${sale.armError}`, 'It is tried again by itself once that is mended.'], ending: 'refused' };
  if (isLater(sale)) return { value: sale, lines: [`${sale.id} is approved; it will be armed by itself ten minutes before it opens at ${sale.opensAt}`] };
  return { value: sale, lines: [`${sale.id} is approved and not armed yet: ask again, or give --wait more seconds`], ending: 'unknown' };
}

/** By this machine's clock, and only for what is said and how long is waited: a minute is left for a clock that is wrong. */
const isLater = (sale: SaleView): boolean => Date.parse(sale.opensAt) - Date.now() > armsBeforeOpeningMs + 60_000;
