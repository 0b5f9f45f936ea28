import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { switchValues, type SwitchState, type SwitchValues } from '@floodgate/contracts';
import { Shutdown } from '@floodgate/platform';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { Services, isRefusal } from '../problem/services.js';

/** Half of what a change may take to be effective: whoever missed the event hears the answer in time. */
const askEveryMs = 1_000;
const answerTimeoutMs = 800;

/**
 * The platform's switches as this gateway knows them. Events bring a change at once, asking each second what an event did not; while
 * promotion is away the last known values go on.
 */
@Injectable()
export class Switches implements OnApplicationBootstrap {
  /** Every switch's value; another object after a change. */
  values: SwitchValues;
  private version = 0;
  private readonly production: boolean;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly services: Services, private readonly shutdown: Shutdown, @Inject(GATEWAY_CONFIG) config: Pick<GatewayConfig, 'NODE_ENV'>) {
    this.production = config.NODE_ENV === 'production';
    this.values = switchValues(this.production);
  }

  onApplicationBootstrap(): void {
    let asking = false;
    const ask = (): void => {
      if (asking) return;
      asking = true;
      void this.refresh().finally(() => { asking = false; });
    };
    this.timer = setInterval(ask, askEveryMs);
    this.timer.unref();
    this.shutdown.onDrain('switches', () => { clearInterval(this.timer); });
    ask();
  }

  /** Takes in a state; an older one than the known changes nothing. */
  apply({ version, values }: SwitchState): void {
    if (version <= this.version) return;
    this.version = version;
    this.values = switchValues(this.production, values);
  }

  /** Asks promotion. @returns whether it answered */
  async refresh(): Promise<boolean> {
    const state = await this.services.ask('read-switches', {}, answerTimeoutMs);
    if (isRefusal(state)) return false;
    this.apply(state);
    return true;
  }
}
