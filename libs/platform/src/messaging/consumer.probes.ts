import { Injectable } from '@nestjs/common';
import type { QueueName } from '@floodgate/contracts';

export type Probe = () => boolean | Promise<boolean>;

/** Asked while a queue's consumer is paused: is the server that was missing back? Without a probe, the next message is the probe. */
@Injectable()
export class ConsumerProbes {
  private readonly probes = new Map<QueueName, Probe>();

  register(queue: QueueName, probe: Probe): void {
    this.probes.set(queue, probe);
  }

  of(queue: QueueName): Probe {
    return () => this.probes.get(queue)?.() ?? true;
  }
}
