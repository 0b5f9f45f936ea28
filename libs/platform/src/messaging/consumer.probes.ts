import { Injectable } from '@nestjs/common';
import type { QueueName } from '@floodgate/contracts';

export type Probe = () => boolean | Promise<boolean>;

/** Asked while a consumer is paused: is the server that was missing back? Without any probe, the next message is the probe. */
@Injectable()
export class ConsumerProbes {
  private readonly general: Probe[] = [];
  private readonly own = new Map<QueueName, Probe>();

  /** What one queue's handler needs besides. */
  register(queue: QueueName, probe: Probe): void {
    this.own.set(queue, probe);
  }

  /** What every handler of this process needs; PostgresModule registers its database. */
  registerForAll(probe: Probe): void {
    this.general.push(probe);
  }

  /** @param queue null: only what all need */
  async back(queue: QueueName | null): Promise<boolean> {
    const own = queue ? this.own.get(queue) : undefined;
    const results = await Promise.all([...this.general, ...(own ? [own] : [])].map(async (probe) => probe()));
    return results.every(Boolean);
  }
}
