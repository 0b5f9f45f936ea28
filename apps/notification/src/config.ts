import { commonConfig, loadConfig, secretPair } from '@floodgate/platform';
import { z } from 'zod';
import type { MailOptions } from './channels/mailer.js';

export const configSchema = z.object({
  ...commonConfig,
  AMQP_URL: z.url(),
  DATABASE_URL: z.url(),
  /** Who posts alerts has to know it (two while it is changed). Without it anybody may who reaches the internal listener, which then has to be on loopback. */
  ALERTS_SECRET: secretPair.optional(),
  /** The team is told when the alerts' watchdog has not been heard for so long. */
  WATCHDOG_AWAY_S: z.coerce.number().int().min(1).max(86_400).optional(),
  /** While a sale is on, its figures are told every so many seconds. */
  DIGEST_EVERY_S: z.coerce.number().int().min(5).max(86_400).optional(),
  /** Where a digest says that one can read on: `https://floodgate.example/v1/admin/sales/{saleId}/report`. */
  SALE_LINK: z.string().regex(/^https?:\/\/\S*\{saleId\}\S*$/, 'must be a URL with {saleId} in it').optional(),
  /** Mail goes out through this server; without it there is none. */
  SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  MAIL_FROM: z.email().optional(),
  /** Where a buyer's mail goes, made of the account's id: `{accountId}@relay.example`. Without it buyers' messages stay in the log. */
  BUYER_MAIL: z.string().regex(/^[^\s@,;:<>"]*\{accountId\}[^\s@,;:<>"]*@[A-Za-z0-9.-]+$/, 'must be a mailbox with {accountId} in it').optional(),
}).superRefine((config, context) => {
  const fault = (variable: string, message: string): void => context.addIssue({ code: 'custom', path: [variable], message });
  const isOpen = config.NODE_ENV === 'production' || !/^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/.test(config.INTERNAL_HOST);
  if (isOpen && config.ALERTS_SECRET === undefined) fault('ALERTS_SECRET', 'is needed in production, and wherever the internal listener can be reached from other machines');
  if ((config.SMTP_URL === undefined) !== (config.MAIL_FROM === undefined)) fault('SMTP_URL', 'SMTP_URL and MAIL_FROM go together');
  if (config.BUYER_MAIL !== undefined && config.SMTP_URL === undefined) fault('BUYER_MAIL', 'mail to buyers needs SMTP_URL');
});
export type Config = z.infer<typeof configSchema>;

export const readConfig = (): Config => loadConfig(configSchema);

export const mailOptions = ({ SMTP_URL, MAIL_FROM, NODE_ENV }: Partial<Config>): MailOptions | null =>
  SMTP_URL === undefined || MAIL_FROM === undefined ? null : { smtpUrl: SMTP_URL, from: MAIL_FROM, requireTls: NODE_ENV === 'production' };
