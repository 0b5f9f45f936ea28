import { InfrastructureError } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { Redis } from 'ioredis';

/** Which run of the Redis server we talk to. Whatever was learnt over an earlier connection may be untrue over the next. */
@Injectable()
export class RedisLink {
  /** Rises with every connection that ends. */
  generation = 0;
  private run: string | null = null;
  private leaving = false;
  private readonly onLost: (() => void)[] = [];

  constructor(private readonly redis: Redis) {
    redis.on('close', () => {
      this.generation++;
      this.run = null;
      if (!this.leaving) for (const listener of this.onLost) listener();
    });
  }

  /** Ends the connection for good; nobody needs to worry about that. */
  leave(): void {
    this.leaving = true;
    this.redis.disconnect();
  }

  get up(): boolean {
    return this.redis.status === 'ready';
  }

  /** Called at once when a connection ends, before anything is sent over the next. */
  whenLost(listener: () => void): void {
    this.onLost.push(listener);
  }

  /** The server's run id: another one means that it has restarted, and may have lost its last seconds or everything. @throws InfrastructureError */
  async runId(): Promise<string> {
    if (this.run) return this.run;
    const generation = this.generation;
    const info = await this.redis.info('server').catch((error: unknown) => {
      throw new InfrastructureError('redis info', { cause: error });
    });
    const run = /^run_id:(\w+)/m.exec(info)?.[1];
    if (!run || generation !== this.generation) throw new InfrastructureError('redis did not say which run it is');
    this.run = run;
    return run;
  }
}
