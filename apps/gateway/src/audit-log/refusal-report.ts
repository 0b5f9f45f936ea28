import { randomUUID } from 'node:crypto';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Ask } from '@floodgate/contracts';
import { Shutdown } from '@floodgate/platform';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { Services, isRefusal } from '../problem/services.js';

type Report = Ask<'report-refusals'>;
type Forbidden = Report['forbidden'][number];
type Abuse = Report['abuses'][number];

const reportMs = 1_000;
/** The first attempt is told at once; those that follow are counted and told together, so that nobody can fill the log by knocking. */
const coalesceMs = 60_000;
const forbiddenPerReport = 100;
const abusesPerReport = 500;
/** Whoever comes when so many are known is counted under one name: memory stays bounded however many accounts knock. */
const forbiddenMax = 1_000;
const abusesMax = 20_000;
const severalAccounts = 'several';

/** What this gateway refused and somebody should know of, told to promotion together, at most once a second. */
@Injectable()
export class RefusalReport implements OnApplicationBootstrap {
  private readonly forbidden = new Map<string, { attempts: Forbidden | null; toldMs: number }>();
  private readonly abuses = new Map<string, Abuse>();
  private unanswered: Report | null = null;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly services: Services, private readonly shutdown: Shutdown) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.send(), reportMs);
    this.timer.unref();
    this.shutdown.onDrain('refusal report', async () => {
      if (this.timer) clearInterval(this.timer);
      await this.send(-Infinity);
    });
  }

  /** Watches an admin route: every 403 is an attempt by somebody who may not, be it by role or by what stands behind it. */
  apply(route: RouteOptions): void {
    const operation = route.config?.route?.operation;
    if (!operation?.path.startsWith('/v1/admin/')) return;
    route.onResponse = (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
      if (reply.statusCode === 403) this.noteForbidden(request.actor.accountId, operation.id, request.url.split('?', 1)[0] ?? '', Date.now());
      done();
    };
  }

  /** @param nowMs epoch milliseconds */
  noteForbidden(accountId: string, operation: string, path: string, nowMs: number): void {
    const own = `${accountId} ${operation}`;
    const isOwn = this.forbidden.has(own) || this.forbidden.size < forbiddenMax;
    const key = isOwn ? own : `${severalAccounts} ${operation}`;
    const known = this.forbidden.get(key) ?? { attempts: null, toldMs: -Infinity };
    known.attempts ??= { accountId: isOwn ? accountId : severalAccounts, operation, path: path.slice(0, 300), count: 0, firstMs: nowMs, lastMs: nowMs };
    known.attempts.count++;
    known.attempts.lastMs = nowMs;
    this.forbidden.set(key, known);
  }

  /** An attempt that no honest client makes, such as one with a forged entry token. */
  noteAbuse(saleId: string, accountId: string): void {
    const key = `${accountId} ${saleId}`;
    const known = this.abuses.get(key);
    if (known) known.count++;
    else if (this.abuses.size < abusesMax) this.abuses.set(key, { accountId, saleId, count: 1 });
  }

  /** Tells what has gathered. What got no answer is told again under the same id, so that it counts once. @param quietMs see {@link coalesceMs} */
  async send(quietMs = coalesceMs): Promise<void> {
    const report = this.unanswered ?? this.nextReport(quietMs);
    if (!report) return;
    this.unanswered = report;
    const answer = await this.services.ask('report-refusals', report);
    if (!isRefusal(answer) && this.unanswered === report) this.unanswered = null;
  }

  private nextReport(quietMs: number): Report | null {
    const nowMs = performance.now();
    const forbidden: Forbidden[] = [];
    for (const [key, known] of this.forbidden) {
      const isDue = nowMs - known.toldMs >= quietMs;
      if (isDue && !known.attempts) this.forbidden.delete(key);
      if (!isDue || !known.attempts || forbidden.length === forbiddenPerReport) continue;
      forbidden.push(known.attempts);
      this.forbidden.set(key, { attempts: null, toldMs: nowMs });
    }
    const abuses = [...this.abuses.entries()].slice(0, abusesPerReport);
    for (const [key] of abuses) this.abuses.delete(key);
    return forbidden.length + abuses.length === 0 ? null : { reportId: randomUUID(), forbidden, abuses: abuses.map(([, abuse]) => abuse) };
  }
}
