import type { BeforeApplicationShutdown } from '@nestjs/common';
import { ProviderUnavailableError, type PaymentProvider } from './payment-provider.js';

/** The configured providers by name. Each payment names its provider for life, so whatever is done about a payment goes through here. */
export class PaymentProviders implements BeforeApplicationShutdown {
  private readonly byName: ReadonlyMap<string, PaymentProvider>;

  constructor(providers: readonly PaymentProvider[]) {
    this.byName = new Map(providers.map((provider) => [provider.name, provider]));
    if (this.byName.size < providers.length) throw new Error('two payment providers have the same name');
  }

  get names(): string[] {
    return [...this.byName.keys()];
  }

  get all(): PaymentProvider[] {
    return [...this.byName.values()];
  }

  /** Null: no such provider is configured. */
  find(name: string): PaymentProvider | null {
    return this.byName.get(name) ?? null;
  }

  /** The provider of a payment that exists. One that is configured no longer is one that cannot be reached: what it did is unknown. */
  of({ provider }: { provider: string }): PaymentProvider {
    const found = this.find(provider);
    if (!found) throw new ProviderUnavailableError(`the payment provider ${provider} is not configured`);
    return found;
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.all.map((provider) => provider.disconnect()));
  }
}
