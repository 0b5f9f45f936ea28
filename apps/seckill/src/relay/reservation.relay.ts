import { crashPoint, createLogger, errorText, Publisher, Shutdown } from '@floodgate/platform';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { LaneRegistry, type Lane } from '../fence/lane.registry.js';
import { republished } from '../metrics.js';
import { RelayStore } from '../stock/relay.store.js';
import { publishReservations } from './publish-reservations.js';
import { Reaper } from './reaper.js';
import { reservationOf } from './reservation.js';

const EVERY_MS = 1_000;
// Longer than whoever reserved waits for the confirm in the ordinary case.
const AGE_MS = 2_000;
const ENTRIES_MAX = 32;

/** Publishes what was reserved and is not known to be with the broker: its maker may have died, or its confirm been lost. */
@Injectable()
export class ReservationRelay implements OnApplicationBootstrap {
  private readonly logger = createLogger('relay');
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly relay: RelayStore,
    private readonly lanes: LaneRegistry,
    private readonly publisher: Publisher,
    private readonly reaper: Reaper,
    shutdown: Shutdown,
  ) {
    shutdown.onDrain('relay', () => this.stop());
  }

  onApplicationBootstrap(): void {
    this.timer = setTimeout(() => {
      this.round = this.runRound().finally(() => {
        if (!this.stopped) this.onApplicationBootstrap();
      });
    }, EVERY_MS);
  }

  private async runRound(): Promise<void> {
    for (const lane of this.lanes.all()) {
      if (this.stopped || !lane.open || this.publisher.state !== 'up') continue;
      try {
        await this.relayLane(lane);
        await this.reaper.sweep(lane);
      } catch (error) {
        // Entries stay until they are confirmed; the next round takes them up again.
        this.logger.warn({ lane: lane.name }, errorText(error));
      }
    }
  }

  private async relayLane(lane: Lane): Promise<void> {
    for (;;) {
      const { epoch } = lane;
      const page = await this.relay.unconfirmed(lane.keys, epoch, AGE_MS, ENTRIES_MAX);
      lane.relay = { length: page.length, oldestAtMs: page.oldestAgeMs < 0 ? null : performance.now() - page.oldestAgeMs };
      for (const { relayId, reservations } of page.entries) {
        if (this.stopped || !lane.open || lane.epoch !== epoch) return;
        if (reservations.length > 0) {
          crashPoint('relay.before-publish');
          await publishReservations(this.publisher, lane, epoch, reservations.map(reservationOf));
          crashPoint('relay.after-publish');
          republished.inc({ by: 'relay' }, reservations.length);
        }
        await this.relay.confirmed(lane.keys, [relayId]);
      }
      if (page.entries.length < ENTRIES_MAX) return;
    }
  }

  private async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.round;
  }
}
