import { Module, type DynamicModule } from '@nestjs/common';
import type { PaymentProvider } from './payment-provider.js';
import { PaymentProviders } from './payment-providers.js';
import { SandboxProvider, type SandboxSettings } from './sandbox.provider.js';

/** What each provider needs; null: not configured, and then there is no such provider. */
export interface ProviderSettings {
  sandbox: SandboxSettings | null;
}

/** Global, because payments, sweeper, cancel and audit ask providers, and there is one of each. */
@Module({})
export class PaymentProviderModule {
  static forRoot(settings: ProviderSettings): DynamicModule {
    return {
      module: PaymentProviderModule,
      global: true,
      providers: [{ provide: PaymentProviders, useFactory: () => new PaymentProviders(configured(settings)) }],
      exports: [PaymentProviders],
    };
  }
}

function configured({ sandbox }: ProviderSettings): PaymentProvider[] {
  return [...(sandbox ? [new SandboxProvider(sandbox)] : [])];
}
