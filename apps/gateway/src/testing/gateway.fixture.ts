import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { BoardLane, SaleDocument } from '@floodgate/contracts';
import { Shutdown } from '@floodgate/platform';
import { EntryTokens } from '../admission/entry-token.js';
import { issueJwt } from '../admission/jwt.js';
import { Board } from '../board/board.js';
import { PlatformClock } from '../board/platform-clock.js';
import { SaleCatalogue } from '../board/sale-catalogue.js';
import { configSchema, type GatewayConfig } from '../config.js';
import { configureServer, serverOptions } from '../server.js';
import { StandInClient } from './stand-in.client.js';
import { standInModule } from './stand-in.module.js';

export const secrets = { JWT_SECRET: 'jwt-secret-of-the-tests', ENTRY_TOKEN_SECRET: 'entry-secret-of-the-tests', RECEIPT_SECRET: 'receipt-secret-of-the-tests' };

export const testConfig = (changes: Record<string, string> = {}): GatewayConfig =>
  configSchema.parse({ NODE_ENV: 'test', INTERNAL_PORT: '0', PORT: '0', AMQP_URL: 'amqp://nowhere', DEV_LOGIN: 'true', ...secrets, ...changes });

export interface Gateway {
  app: NestFastifyApplication;
  client: StandInClient;
  board: Board;
  catalogue: SaleCatalogue;
  clock: PlatformClock;
  entryTokens: EntryTokens;
  close(): Promise<void>;
}

/** The whole gateway over a stand-in for the other services; requests go in through `app.inject`. */
export async function startGateway(client = new StandInClient(), config = testConfig()): Promise<Gateway> {
  const app = await NestFactory.create<NestFastifyApplication>(standInModule(client, config), new FastifyAdapter(serverOptions as object), { logger: false });
  configureServer(app);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  const get = <T>(type: new (...args: never[]) => T): T => app.get(type, { strict: false });
  return {
    app, client, board: get(Board), catalogue: get(SaleCatalogue), clock: get(PlatformClock), entryTokens: get(EntryTokens),
    close: async () => {
      await get(Shutdown).run('drain');
      await app.close();
    },
  };
}

/** A bearer header for this account. */
export const bearer = (accountId: string, ...roles: string[]): { authorization: string } =>
  ({ authorization: `Bearer ${issueJwt(secrets.JWT_SECRET, { accountId, roles }, Date.now(), Date.now() + 3_600_000)}` });

export const hour = 3_600_000;

/** A sale that is open now: two items, ten units of the first, five of the second. */
export function aSale(changes: Partial<SaleDocument> = {}): SaleDocument {
  const saleId = changes.saleId ?? 'Sale000001';
  const item = (number: number, quota: number) => ({
    itemId: `${saleId}-${number}`, skuId: `sku-${number}`, title: `Item ${number}`, imageUrl: null, kind: 'goods' as const,
    price: 100 * number, listPrice: null, quota, perAccount: 1,
  });
  return {
    saleId, version: 4, state: 'ARMED', title: 'A sale', merchantId: 'merchant', mode: 'race', opensAtMs: Date.now() - hour, closesAtMs: Date.now() + hour,
    paymentWindowMs: 600_000, latePayment: 'refund', limits: { perAccount: 2, perIp: null }, challenge: 'none', currency: 'GBP',
    ridSecret: 'ab'.repeat(16), lanes: 1, items: [item(1, 10), item(2, 5)], ...changes,
  };
}

/** A lane of the sale as seckill tells it, whole, read now. */
export function aLane(sale: SaleDocument, changes: Partial<BoardLane> = {}): BoardLane {
  return {
    saleId: sale.saleId, lane: 0, epoch: 1, version: sale.version, state: sale.state === 'PAUSED' || sale.state === 'ENDED' || sale.state === 'WITHDRAWN' ? sale.state : 'ARMED',
    selling: true, atMs: Date.now(), whole: true, items: sale.items.map(({ itemId, quota }) => [itemId, quota, 0]), admittedFrom: 0, admitted: [], ...changes,
  };
}
