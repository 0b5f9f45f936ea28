import { refuse, type Ask, type Refusal } from '@floodgate/contracts';
import { OutboundClient, OutboundFailedError, OutboundRefusedError } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { Mailer, mailboxOf } from '../channels/mailer.js';
import { isRobotKind, robots } from '../robots/robots.js';

/** Where channels may lead. */
@Injectable()
export class ChannelCheck {
  constructor(private readonly outbound: OutboundClient, private readonly mailer: Mailer) {}

  /** Null: it may be saved. */
  async faultOf({ kind, url, secret }: Pick<Ask<'save-channel'>, 'kind' | 'url' | 'secret'>): Promise<Refusal | null> {
    if (!isRobotKind(kind)) return this.mailFault(url, secret);
    if (robots[kind].needsSecret && secret === null) return fault('/secret', 'is needed: what is sent is signed with it');
    try {
      await this.outbound.check(url);
      return null;
    } catch (error) {
      if (error instanceof OutboundRefusedError) return fault('/url', error.message);
      if (error instanceof OutboundFailedError) return refuse('UNAVAILABLE', `Whether this URL may be called cannot be said now: ${error.message}.`);
      throw error;
    }
  }

  private mailFault(url: string, secret: string | null): Refusal | null {
    if (mailboxOf(url) === null) return fault('/url', 'must be mailto: with one mailbox');
    if (secret !== null) return fault('/secret', 'mail is not signed');
    return this.mailer.configured ? null : fault('/kind', 'no mail server is configured');
  }
}

const fault = (path: string, message: string): Refusal => refuse('INVALID_REQUEST', `${path.slice(1)}: ${message}`, { errors: [{ path, message }] });
