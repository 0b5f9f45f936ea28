import { createLogger, errorText } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { AlertStore } from './alert.store.js';

/** How long the watchdog may be away, milliseconds. */
export class WatchdogAway {
  constructor(readonly ms: number) {}
}

/** The dead man's switch: notices that nothing is heard any more from those who would say that something is wrong. */
@Injectable()
export class WatchdogJob {
  private readonly log = createLogger('alerts');

  constructor(private readonly store: AlertStore, private readonly away: WatchdogAway) {}

  @Interval(5_000)
  async tick(): Promise<void> {
    try {
      if (await this.store.tellIfAway(this.away.ms)) this.log.error('the watchdog of the alerts is away');
    } catch (error) {
      // The database is away: the next tick looks again.
      this.log.warn(`the watchdog could not be looked at: ${errorText(error)}`);
    }
  }
}
