import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Api, expectStatus, type Buyer } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';

const purchasesPerRound = 500;
const buyersAtOnce = 32;
/** Of /proc: clock ticks of a hundredth of a second. */
const microsecondsPerTick = 10_000;
const services = ['gateway', 'seckill', 'order', 'notification'] as const;

/** What is compared: environment of every service. */
const kinds = {
  off: {},
  '1 %': { OTEL_TRACES_EXPORTER: 'otlp', OTEL_TRACES_SAMPLER_ARG: '0.01' },
  '100 %': { OTEL_TRACES_EXPORTER: 'otlp', OTEL_TRACES_SAMPLER_ARG: '1' },
} as const;
export type TraceKind = keyof typeof kinds;

/** Processor time of a purchase (an entry token, a reservation, its order), in microseconds, by service and in all. */
export type TraceCost = Record<(typeof services)[number] | 'all', number>;

interface Rival {
  kind: TraceKind;
  platform: Platform;
  api: Api;
  sale: { id: string; items: { id: string }[] };
  rounds: TraceCost[];
}

/**
 * Processor time of purchases without traces, with some, with all: three platforms side by side, one at work at a time, in turns.
 * @returns the median of the rounds after the first, which warms up
 */
export async function measureTraceCost(rounds: number, collectorUrl: string): Promise<Record<TraceKind, TraceCost>> {
  const rivals: Rival[] = [];
  try {
    for (const kind of Object.keys(kinds) as TraceKind[]) rivals.push(await rivalOf(kind, collectorUrl));
    for (let round = 0; round <= rounds; round++) for (const rival of rivals) rival.rounds.push(await roundOf(rival));
    return Object.fromEntries(rivals.map(({ kind, rounds: [, ...measured] }) => [kind, medianOf(measured)])) as Record<TraceKind, TraceCost>;
  } finally {
    for (const { platform } of rivals) await platform.stop();
  }
}

async function rivalOf(kind: TraceKind, collectorUrl: string): Promise<Rival> {
  const env = { ...kinds[kind], OTEL_EXPORTER_OTLP_ENDPOINT: collectorUrl };
  const platform = await startPlatform({ serviceEnv: async () => Object.fromEntries(services.map((service) => [service, env])) });
  const api = new Api(platform.run);
  return { kind, platform, api, sale: await api.armedSale([{ quota: 1_000_000 }]), rounds: [] };
}

async function roundOf({ api, sale, platform }: Rival): Promise<TraceCost> {
  const before = ticksOf(platform);
  let left = purchasesPerRound;
  const buy = async (): Promise<void> => {
    while (left-- > 0) {
      const buyer = api.buyer(randomUUID());
      const reservationId = await reserve(buyer, sale);
      if (left === 0) await buyer.until(reservationId, ['ORDERED'], 120_000);
    }
  };
  await Promise.all(Array.from({ length: buyersAtOnce }, buy));
  const after = ticksOf(platform);
  const spent = Object.fromEntries(services.map((service) => [service, ((after[service] - before[service]) * microsecondsPerTick) / purchasesPerRound])) as TraceCost;
  return { ...spent, all: services.reduce((sum, service) => sum + spent[service], 0) };
}

/** With one key until it is accepted: a machine that is busy with other things may be overloaded for a moment. */
async function reserve(buyer: Buyer, { id, items }: Rival['sale']): Promise<string> {
  const [key, entryToken] = [randomUUID(), await buyer.entryToken(id)];
  return eventually(async () => expectStatus(202, await buyer.reserve(id, [{ itemId: items[0]!.id, quantity: 1 }], { key, entryToken })).reservationId, { timeoutMs: 120_000 });
}

function ticksOf(platform: Platform): Record<(typeof services)[number], number> {
  return Object.fromEntries(services.map((name) => {
    const pid = platform.run.services.find((service) => service.name === name)?.pid;
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
    return [name, Number(fields[11]) + Number(fields[12])];
  })) as Record<(typeof services)[number], number>;
}

function medianOf(rounds: readonly TraceCost[]): TraceCost {
  const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
  return Object.fromEntries([...services, 'all' as const].map((name) => [name, Math.round(median(rounds.map((round) => round[name])))])) as TraceCost;
}
