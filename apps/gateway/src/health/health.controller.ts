import { Controller, type OnModuleInit } from '@nestjs/common';
import { refuse } from '@floodgate/contracts';
import { Readiness, RequestClient } from '@floodgate/platform';
import { Board } from '../board/board.js';
import { SaleCatalogue } from '../board/sale-catalogue.js';
import { PlatformClock } from '../board/platform-clock.js';
import { Operation, type Answer } from '../openapi/operation.decorator.js';

const dependencies = ['rabbitmq', 'promotion', 'seckill'] as const;

/**
 * Ready means: the broker is reached, and sales and clock were learned since the start. A service that goes away later makes requests fail,
 * not this gateway: taking every gateway away at once would help nobody.
 */
@Controller()
export class HealthController implements OnModuleInit {
  constructor(
    private readonly readiness: Readiness,
    private readonly client: RequestClient,
    private readonly catalogue: SaleCatalogue,
    private readonly board: Board,
    private readonly clock: PlatformClock,
  ) {}

  onModuleInit(): void {
    this.readiness.register('rabbitmq', () => this.client.state === 'up');
    this.readiness.register('promotion', () => this.catalogue.isLoaded);
    this.readiness.register('seckill', () => this.clock.nowMs() !== null);
  }

  @Operation('getLiveness')
  getLiveness(): Answer {
    return { ok: true, value: { status: 'alive' } };
  }

  @Operation('getReadiness')
  async getReadiness(): Promise<Answer> {
    const failing = await this.readiness.failing();
    const states: Record<string, string> = Object.fromEntries([...dependencies, ...failing].map((name) => [name, failing.includes(name) ? 'failing' : 'ok']));
    if (states['seckill'] === 'ok' && !this.board.isCurrent()) states['seckill'] = 'silent';
    if (failing.length === 0) return { ok: true, value: { status: 'ready', dependencies: states } };
    return refuse('UNAVAILABLE', `Not ready: ${failing.join(', ')}.`, { dependencies: states });
  }
}
