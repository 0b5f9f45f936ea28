import { floodgateDir, runFilePath } from '../supervisor/clone-platform.js';
import { Ownership } from '../supervisor/ownership.js';
import { readRunFile } from '../supervisor/run-file.js';
import { auditorToken } from './staff-token.js';
import type { CommandContext } from './command.js';
import { exitCodeOf, formatSettlement, type Settlement, type SettlementDifference } from './settlement-table.js';

const usage = 'npm run payments -- reconcile [--provider NAME] [--day YYYY-MM-DD] [--json]';
const answerWithinMs = 20_000;
/** Between two looks at a comparison that takes long. */
const lookAgainMs = 2_000;
const pageSize = 100;

interface Wanted {
  provider: string;
  day: string | null;
  json: boolean;
}

/** Holds a provider's book against the running platform's. Exit 0: equal, 1: differences, 2: nobody can say. */
export async function paymentsCommand({ args, note, stop }: CommandContext): Promise<number> {
  const wanted = readArguments(args);
  const run = new Ownership(floodgateDir()).current() ? readRunFile(runFilePath()) : null;
  if (!run) throw new Error('the platform is not up: start it with `npm run up`, then ask again');
  try {
    const settlement = await compare(new Asker(run.gatewayUrl, run.jwtSecret), wanted, stop);
    for (const line of wanted.json ? [JSON.stringify(settlement)] : formatSettlement(settlement)) note(line);
    return exitCodeOf(settlement);
  } catch (error) {
    note(`unknown: ${error instanceof Error ? error.message : String(error)}`);
    return exitCodeOf(null);
  }
}

/** @throws one sentence about what is wrong with the arguments */
export function readArguments(args: readonly string[]): Wanted {
  const [verb, ...rest] = args;
  if (verb !== 'reconcile') throw new Error(`say what: ${usage}`);
  const wanted: Wanted = { provider: 'sandbox', day: null, json: false };
  for (let at = 0; at < rest.length; at++) {
    const [name = '', inline] = rest[at]!.split('=', 2);
    const value = () => inline ?? rest[++at] ?? '';
    if (name === '--json' && inline === undefined) wanted.json = true;
    else if (name === '--provider') wanted.provider = value();
    else if (name === '--day') wanted.day = value();
    else throw new Error(`${rest[at]} is no option: ${usage}`);
  }
  if (wanted.provider === '') throw new Error(`which provider? ${usage}`);
  if (wanted.day !== null && !isDay(wanted.day)) throw new Error(`${wanted.day || 'nothing'} is no day: ${usage}`);
  return wanted;
}

const isDay = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`)) && new Date(`${text}T00:00:00Z`).toISOString().startsWith(text);

async function compare(asker: Asker, { provider, day }: Wanted, stop: AbortSignal): Promise<Settlement> {
  const base = `/v1/admin/settlements/${encodeURIComponent(provider)}`;
  let settlement = await asker.ask(day === null ? base : `${base}?day=${day}`);
  while (settlement.state === 'running') {
    await pause(stop);
    settlement = await asker.ask(`${base}/${settlement.id}?limit=${pageSize}`);
  }
  const differences: SettlementDifference[] = [...settlement.differences];
  for (let cursor = settlement.nextCursor; cursor !== null;) {
    const page = await asker.ask(`${base}/${settlement.id}?limit=${pageSize}&cursor=${encodeURIComponent(cursor)}`);
    differences.push(...page.differences);
    cursor = page.nextCursor;
  }
  return { ...settlement, differences, nextCursor: null };
}

/** The auditor's questions to the gateway. */
class Asker {
  constructor(private readonly gatewayUrl: string, private readonly jwtSecret: string) {}

  /** @throws for whatever is no settlement */
  async ask(path: string): Promise<Settlement> {
    const response = await fetch(`${this.gatewayUrl}${path}`, {
      headers: { authorization: `Bearer ${auditorToken(this.jwtSecret)}` }, signal: AbortSignal.timeout(answerWithinMs),
    });
    const body = (await response.json()) as Settlement & { code?: string; detail?: string };
    if (response.status !== 200) throw new Error(`the gateway answered ${response.status} ${body.code ?? ''}${body.detail ? `, ${body.detail}` : ''}`);
    return body;
  }
}

function pause(stop: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, lookAgainMs);
    stop.addEventListener('abort', () => { clearTimeout(timer); reject(new Error('stopped before the comparison had ended')); }, { once: true });
  });
}
