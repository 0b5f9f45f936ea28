/** One payment in the sandbox provider's own book. */
export interface BookedPayment {
  paymentId: string;
  orderId: string;
  state: 'open' | 'captured' | 'declined' | 'closed' | 'expired' | 'refunded';
  amount: { amount: number; currency: string };
  refundId: string | null;
}

/** The sandbox provider's API, for tests that started it with a key of their own. */
export class Sandbox {
  constructor(private readonly url: string, private readonly apiKey: string) {}

  /** Sets its switches; those not named are off. */
  async misbehave(settings: object): Promise<void> {
    await this.call('PUT', '/v1/misbehaviour', settings);
  }

  /** Every payment of a sale. Throws where the connection breaks, as the provider may be told to. */
  async book(saleId: string): Promise<BookedPayment[]> {
    const found: BookedPayment[] = [];
    for (let cursor: string | null = null; ;) {
      const page: { items: BookedPayment[]; nextCursor: string | null } = await this.call('GET', `/v1/book?orderPrefix=${saleId}.${cursor === null ? '' : `&cursor=${cursor}`}`);
      found.push(...page.items);
      cursor = page.nextCursor;
      if (cursor === null) return found;
    }
  }

  private async call(method: string, path: string, body?: object): Promise<any> {
    const response = await fetch(new URL(path, this.url), {
      method, headers: { authorization: `Bearer ${this.apiKey}`, ...(body ? { 'content-type': 'application/json' } : {}) }, ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (response.status !== 200) throw new Error(`the sandbox answered ${response.status}: ${await response.text()}`);
    return response.json();
  }
}
