import { Injectable } from '@nestjs/common';
import { createLogger, hashForLog } from '@floodgate/platform';
import { Channel, type BuyerMessage } from './channel.js';

/** Writes what a buyer would read to the service's log; the account only as a hash. */
@Injectable()
export class LogChannel extends Channel {
  private readonly logger = createLogger('buyer-messages');

  override async deliver({ rid, kind, accountId, body }: BuyerMessage): Promise<void> {
    this.logger.info({ rid, kind, account: hashForLog(accountId) }, body);
  }
}
