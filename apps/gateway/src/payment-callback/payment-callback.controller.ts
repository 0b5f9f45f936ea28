import { Controller } from '@nestjs/common';
import type { JsonBody } from '../openapi/json-body.js';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';
import { Services } from '../problem/services.js';

/** What a provider's notice never needs, and logs further in must never see. */
const withheld = new Set(['authorization', 'cookie', 'proxy-authorization']);

/** Hands a provider's notice on as it came: what is signed are its bytes, and only the order service knows the providers. */
@Controller()
export class PaymentCallbackController {
  constructor(private readonly services: Services) {}

  @Operation('receivePaymentCallback', { raw: true })
  receivePaymentCallback({ path, request }: Call): Promise<Answer> {
    const raw = (request.body as JsonBody | undefined)?.raw ?? Buffer.alloc(0);
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(request.headers)) {
      if (typeof value === 'string' && !withheld.has(name)) headers[name] = value;
    }
    return this.services.ask('payment-notice', { provider: path['provider'] ?? '', headers, body: raw.toString('base64') });
  }
}
