import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the warehouse behaves: it answers; is gone; carries out and loses the answer; is silent; fails; says what makes no sense. */
export type WarehouseMood = 'well' | 'down' | 'lost' | 'silent' | 'failing' | 'nonsense';

export interface Operation {
  kind: 'take' | 'put-back';
  skuId: string;
  /** Given, or taken back. */
  units: number;
}

/** A small warehouse over HTTP, with a book of what it did under each id. */
export class PretendWarehouse {
  mood: WarehouseMood = 'well';
  readonly stock = new Map<string, number>();
  readonly operations = new Map<string, Operation>();
  /** Requests per SKU, also those that were not answered. */
  readonly asked = new Map<string, number>();
  private server: Server | undefined;

  constructor(private readonly secret: string) {}

  async start(): Promise<string> {
    this.server = createServer((request, response) => { void this.serve(request, response); });
    await new Promise<void>((resolve) => { this.server!.listen(0, '127.0.0.1', resolve); });
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => { this.server?.close(resolve); });
  }

  /** What it has given of a SKU and not taken back. */
  out(skuId: string): number {
    return [...this.operations.values()].reduce((sum, { kind, skuId: sku, units }) => sum + (sku !== skuId ? 0 : kind === 'take' ? units : -units), 0);
  }

  operationsOf(skuId: string): Operation[] {
    return [...this.operations.values()].filter((operation) => operation.skuId === skuId);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const id = request.url?.split('/').at(-1) ?? '';
    if (!this.signed(request, id, body)) return void response.writeHead(401).end();
    const { skuId } = JSON.parse(body) as Operation;
    this.asked.set(skuId, (this.asked.get(skuId) ?? 0) + 1);
    switch (this.mood) {
      case 'down': return void request.socket.destroy();
      case 'silent': return;
      case 'failing': return void response.writeHead(500).end();
      case 'nonsense': return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ operationId: id, units: 1e9 }));
      case 'lost':
        this.carryOut(id, body);
        return void request.socket.destroy();
      default:
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ operationId: id, units: this.carryOut(id, body) }));
    }
  }

  private carryOut(id: string, body: string): number {
    const known = this.operations.get(id);
    if (known) return known.units;
    const { kind, skuId, units } = JSON.parse(body) as Operation;
    const has = this.stock.get(skuId) ?? 0;
    const moved = kind === 'take' ? Math.min(units, has) : units;
    this.stock.set(skuId, has + (kind === 'take' ? -moved : moved));
    this.operations.set(id, { kind, skuId, units: moved });
    return moved;
  }

  private signed(request: IncomingMessage, id: string, body: string): boolean {
    const [, seconds, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(request.headers['x-signature'])) ?? [];
    const expected = createHmac('sha256', this.secret).update(`${seconds}.${id}.${body}`).digest('hex');
    return signature !== undefined && timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
  }
}
