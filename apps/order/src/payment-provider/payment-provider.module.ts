import { Module, type DynamicModule } from '@nestjs/common';
import type { PaymentProvider } from './payment-provider.js';
import { PaymentProviders } from './payment-providers.js';
import { SandboxProvider, type SandboxSettings } from './sandbox.provider.js';
import { StripeProvider, type StripeSettings } from './stripe.provider.js';
import { StripeSessionStore } from './stripe-session.store.js';

/** What each provider needs; null: not configured, and then there is no such provider. */
export interface ProviderSettings {
  sandbox: SandboxSettings | null;
  stripe: StripeSettings | null;
}

/** Global, because payments, sweeper, cancel and audit ask providers, and there is one of each. */
@Module({})
export class PaymentProviderModule {
  static forRoot(settings: ProviderSettings): DynamicModule {
    return {
      module: PaymentProviderModule,
      global: true,
      providers: [
        StripeSessionStore,
        { provide: PaymentProviders, useFactory: (sessions: StripeSessionStore) => new PaymentProviders(configured(settings, sessions)), inject: [StripeSessionStore] },
      ],
      exports: [PaymentProviders],
    };
  }
}

function configured({ sandbox, stripe }: ProviderSettings, sessions: StripeSessionStore): PaymentProvider[] {
  return [...(sandbox ? [new SandboxProvider(sandbox)] : []), ...(stripe ? [new StripeProvider(stripe, sessions)] : [])];
}
