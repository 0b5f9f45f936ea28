import { errorText } from '@floodgate/platform';
import nodemailer, { type Transporter } from 'nodemailer';
import type { Sent, TeamMessage } from './team-channel.js';

export interface MailOptions {
  /** `smtp://` or `smtps://`, with user and password. */
  smtpUrl: string;
  from: string;
  /** Whether a server that offers no TLS is refused. */
  requireTls: boolean;
}

const timeoutMs = 10_000;

/** Mail, where a server for it is configured. */
export class Mailer {
  private readonly transporter: Transporter | null;

  constructor(private readonly options: MailOptions | null) {
    this.transporter = options === null ? null : nodemailer.createTransport({
      url: options.smtpUrl, requireTLS: options.requireTls, connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs, dnsTimeout: timeoutMs,
      // Nothing that stands in a message makes it read a file or call a URL.
      disableFileAccess: true, disableUrlAccess: true,
    });
  }

  get configured(): boolean {
    return this.transporter !== null;
  }

  /** @throws Error where the server has not taken it */
  async send(to: string, subject: string, text: string): Promise<void> {
    if (!this.transporter || !this.options) throw new Error('no mail server is configured (SMTP_URL)');
    await this.transporter.sendMail({ from: this.options.from, to, subject, text, headers: { 'auto-submitted': 'auto-generated' } });
  }

  /** @param url `mailto:` of one mailbox */
  async tell(url: string, { title, lines, link }: TeamMessage): Promise<Sent> {
    try {
      await this.send(mailboxOf(url) ?? '', title, [...lines, ...(link === null ? [] : ['', link])].join('\n'));
      return { ok: true };
    } catch (error) {
      return { ok: false, error: errorText(error) };
    }
  }
}

/** The one mailbox of a `mailto:`, or null. What else such a URL may carry (other receivers, a subject) is not wanted here. */
export function mailboxOf(url: string): string | null {
  return /^mailto:([^\s@,;:<>"?&%]{1,64}@[A-Za-z0-9.-]{1,190})$/.exec(url)?.[1] ?? null;
}
