import type { OnApplicationBootstrap } from '@nestjs/common';
import { OutboundClient, type Readiness, type Shutdown } from '@floodgate/platform';
import { KeySet } from './key-set.js';

/** The identity provider's keys over HTTP; none where the configuration names no provider. */
export class IdentityKeys implements OnApplicationBootstrap {
  readonly keySet: KeySet | undefined;

  constructor(url: string | undefined, readiness: Readiness, shutdown: Shutdown) {
    if (url === undefined) return;
    // The address stands in our own configuration and is often one inside.
    const client = new OutboundClient({ reach: 'any', timeoutMs: 3_000, bytesMax: 262_144 });
    const keySet = new KeySet(async () => {
      const { status, body } = await client.request(url, { headers: { accept: 'application/json' } });
      if (status !== 200) throw new Error(`the identity provider answered ${status}`);
      return body.toString('utf8');
    });
    // Once only: who has keys works on while the provider is away.
    readiness.register('identity-keys', () => keySet.isLoaded);
    shutdown.onDrain('identity keys', () => keySet.stop());
    this.keySet = keySet;
  }

  onApplicationBootstrap(): void {
    this.keySet?.start();
  }
}
