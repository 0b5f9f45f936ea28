import { describe, expect, it } from '@jest/globals';
import { ConsumerWatchdog } from './consumer.watchdog.js';
import type { QueueConsumer } from './queue.consumer.js';
import type { QueueInspector } from './queue.inspector.js';

class Patient {
  spec = { name: 'patient' };
  subscribedQueue: string | undefined = 'q';
  unsettled = 0;
  deliveries = 0;
  resubscribed = 0;
  silence = { sinceDeliveryMs: 60_000, oldestRunMs: 0 };

  resubscribe(): void {
    this.resubscribed++;
  }
}

describe('ConsumerWatchdog', () => {
  const watch = (patient: Patient, ready: () => Promise<number>) =>
    new ConsumerWatchdog([patient as unknown as QueueConsumer], { ready } as unknown as QueueInspector);

  it('replaces a silent channel once, then calls for a restart', async () => {
    const patient = new Patient();
    const watchdog = watch(patient, () => Promise.resolve(5));
    const states: [number, boolean][] = [];
    for (let round = 0; round < 2; round++) {
      await watchdog.check();
      states.push([patient.resubscribed, watchdog.alive()]);
    }
    expect(states).toEqual([[1, true], [1, false]]);
    patient.deliveries++;
    patient.silence.sinceDeliveryMs = 0;
    await watchdog.check();
    expect(watchdog.alive()).toBe(true);
  });

  it.each<[string, Partial<Patient>, () => Promise<number>]>([
    ['nothing waits', {}, () => Promise.resolve(0)],
    ['it is busy', { unsettled: 1 }, () => Promise.resolve(5)],
    ['it is not subscribed just now', { subscribedQueue: undefined }, () => Promise.resolve(5)],
    ['it had a message lately', { silence: { sinceDeliveryMs: 100, oldestRunMs: 0 } }, () => Promise.resolve(5)],
    ['the broker cannot be asked', {}, () => Promise.reject(new Error('away'))],
  ])('leaves it alone when %s', async (_case, state, ready) => {
    const patient = Object.assign(new Patient(), state);
    const watchdog = watch(patient, ready);
    await watchdog.check();
    await watchdog.check();
    expect([patient.resubscribed, watchdog.alive()]).toEqual([0, true]);
  });

  it('calls for a restart when a handler never returns', () => {
    const patient = Object.assign(new Patient(), { unsettled: 1, silence: { sinceDeliveryMs: 400_000, oldestRunMs: 400_000 } });
    expect(watch(patient, () => Promise.resolve(0)).alive()).toBe(false);
  });
});
