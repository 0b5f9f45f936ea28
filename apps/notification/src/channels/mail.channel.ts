import { Channel, type BuyerMessage } from './channel.js';
import type { Mailer } from './mailer.js';

const subjects = {
  created: 'It is reserved for you', paid: 'Your payment has arrived', fulfilled: 'Your order has been handed over', replaced: 'Your payment has bought a new order',
  returned: 'Your payment is given back', closed: 'Your reservation has been released',
} as const satisfies Record<BuyerMessage['kind'], string>;

/**
 * Mails a buyer. The platform knows accounts and no addresses, so the address is made of the account's id by a template
 * (`{accountId}@relay.example`): whoever keeps the accounts forwards it.
 */
export class MailChannel extends Channel {
  constructor(private readonly mailer: Mailer, private readonly template: string) {
    super();
  }

  override async deliver({ rid, kind, accountId, body }: BuyerMessage): Promise<void> {
    await this.mailer.send(this.template.replaceAll('{accountId}', accountId), subjects[kind], `${body}\n\nReservation ${rid}`);
  }
}
