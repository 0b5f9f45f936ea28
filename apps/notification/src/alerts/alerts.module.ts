import { Module, type DynamicModule } from '@nestjs/common';
import type { Config } from '../config.js';
import { AlertIntake, AlertSecrets } from './alert.intake.js';
import { AlertStore } from './alert.store.js';
import { WatchdogAway, WatchdogJob } from './watchdog.job.js';

const awayDefaultSeconds = 300;

/** From Alertmanager to the team. */
@Module({})
export class AlertsModule {
  static with({ ALERTS_SECRET, WATCHDOG_AWAY_S }: Partial<Config>, team: DynamicModule): DynamicModule {
    return {
      module: AlertsModule,
      imports: [team],
      providers: [
        AlertStore, AlertIntake, WatchdogJob,
        { provide: AlertSecrets, useValue: new AlertSecrets(ALERTS_SECRET ?? null) },
        { provide: WatchdogAway, useValue: new WatchdogAway((WATCHDOG_AWAY_S ?? awayDefaultSeconds) * 1_000) },
      ],
    };
  }
}
