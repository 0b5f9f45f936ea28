import { z } from 'zod';
import type { TeamNews } from '../team/team-message.store.js';

/** What Alertmanager posts to a webhook (prometheus.io/docs/alerting/latest/configuration/#webhook_config), as far as it is of use here. */
export const notificationSchema = z.object({
  version: z.literal('4'),
  externalURL: z.string().max(500).optional(),
  alerts: z.array(z.object({
    status: z.enum(['firing', 'resolved']),
    labels: z.record(z.string(), z.string()),
    annotations: z.record(z.string(), z.string()).default({}),
    startsAt: z.iso.datetime({ offset: true }),
    endsAt: z.iso.datetime({ offset: true }).optional(),
    fingerprint: z.string().regex(/^[0-9a-f]{1,32}$/),
  })).max(1_000),
});
export type Notification = z.infer<typeof notificationSchema>;
export type Alert = Notification['alerts'][number];

/** Always fires: as long as it is heard, rules, Alertmanager and the way to here work. */
export const watchdogName = 'Watchdog';

/** Labels that say nothing to a reader who has the title. */
const known = new Set(['alertname', 'severity', 'job', 'instance', 'prometheus']);

/**
 * One alert for the team. It is the same news however often Alertmanager repeats it (or another of a pair does): an alert that began at
 * one time fires once and is resolved once.
 */
export function newsOf({ fingerprint, status, startsAt, labels, annotations }: Alert, externalUrl: string | undefined): TeamNews {
  const details = Object.entries(labels).filter(([name]) => !known.has(name)).map(([name, value]) => `${name}=${value}`).sort();
  const began = new Date(startsAt).toISOString();
  return {
    occasion: `alert:${fingerprint}:${status}:${began}`,
    title: `${status === 'firing' ? `FIRING ${labels['severity'] ?? ''}`.trim() : 'resolved'}: ${labels['alertname'] ?? 'an alert'}`,
    lines: [
      ...(annotations['summary'] === undefined ? [] : [annotations['summary']]), ...(details.length === 0 ? [] : [details.join(' ')]), `since ${began}`,
      ...(annotations['runbook'] === undefined || status === 'resolved' ? [] : [`runbook: ${annotations['runbook']}`]),
    ],
    link: status === 'firing' && externalUrl !== undefined && /^https?:\/\/[!-~]+$/.test(externalUrl) ? externalUrl : null,
  };
}
