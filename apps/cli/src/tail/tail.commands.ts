import { setTimeout as pause } from 'node:timers/promises';
import type { ReportView } from '@floodgate/contracts';
import type { Call, Command, Result, Screen } from '../command/command.js';
import { integer, saleId } from '../command/options.js';
import { Failure } from '../failure.js';
import { segment } from '../gateway/gateway.client.js';
import { jsonText, plainText } from '../output/plain-text.js';
import { isOver, sampleFrame, sampleLine, sampleOf, type Sample } from './funnel.js';

/** What `GET /v1/sales/{id}` says, as far as it is needed here. */
export interface PublicSale {
  readonly id: string;
  readonly state: string;
  readonly items: readonly { readonly quota: number; readonly remaining: number; readonly soldOut: boolean }[];
}

export const tailCommands: readonly Command[] = [
  {
    name: 'tail', about: 'watch a sale until it has ended and no order is open; one line a look where it is no terminal', role: 'merchant (own sales), approver, operator or auditor', parameters: [saleId],
    options: [
      { flags: '--every <seconds>', about: 'between two looks', parse: integer('--every', 1, 3_600), default: 2 },
      { flags: '--count <n>', about: 'end after so many looks', parse: integer('--count', 1, 1_000_000) },
    ],
    run: tail,
  },
];

async function tail({ gateway, args: [id = ''], options, json, screen, stop }: Call): Promise<Result> {
  const name = segment(id);
  const show = shower(screen, json);
  const most = (options['count'] as number | undefined) ?? Number.POSITIVE_INFINITY;
  for (let looks = 1; ; looks++) {
    let over = false;
    try {
      const [sale, report] = await Promise.all([gateway.get<PublicSale>(`/v1/sales/${name}`), gateway.get<ReportView>(`/v1/admin/sales/${name}/report`)]);
      const sample = sampleOf(sale, report.funnel, new Date().toISOString());
      show(sample);
      over = isOver(sample);
    } catch (error) {
      // A gateway that restarts is back in a moment; what it refuses it will refuse again.
      if (!(error instanceof Failure) || error.ending !== 'unknown' || looks >= most) throw error;
      show(error);
    }
    if (over || looks >= most) return { value: undefined, lines: [] };
    await pause((options['every'] as number) * 1_000, undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) return { value: undefined, lines: [], ending: 'interrupted' };
  }
}

/** Shows one look after the other: drawn over the last on a terminal, else below it. */
function shower(screen: Screen, json: boolean): (look: Sample | Failure) => void {
  let before: Sample | null = null;
  let drawn = 0;
  return (look) => {
    if (look instanceof Failure) {
      screen.print(json ? jsonText({ error: { ending: look.ending, message: look.message } }, 0) : `${plainText(look.message)}\n`);
      drawn = 0;
      return;
    }
    if (json) screen.print(jsonText(look, 0));
    else if (screen.columns === null) screen.print(`${plainText(sampleLine(look, before))}\n`);
    else {
      const lines = sampleFrame(look, before, screen.columns).map(plainText);
      screen.print(`${drawn > 0 ? `\u001b[${drawn}A` : ''}${lines.map((line) => `\u001b[2K${line}\n`).join('')}`);
      drawn = lines.length;
    }
    before = look;
  };
}
