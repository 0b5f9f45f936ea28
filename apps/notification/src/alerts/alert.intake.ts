import { createHash, timingSafeEqual } from 'node:crypto';
import { createLogger, InternalRoutes, type InternalAnswer, type InternalRequest } from '@floodgate/platform';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AlertStore } from './alert.store.js';
import { newsOf, notificationSchema, watchdogName, type Alert } from './alertmanager.js';

/** Who may post alerts: whoever knows one of these; anybody who reaches the listener where there is none (development). */
export class AlertSecrets {
  constructor(readonly secrets: readonly string[] | null) {}
}

/**
 * Takes what Alertmanager posts to `/alerts` of the internal listener. It is in Postgres when the answer leaves; anything but a 200
 * makes Alertmanager send it again.
 */
@Injectable()
export class AlertIntake implements OnModuleInit {
  private readonly log = createLogger('alerts');

  constructor(private readonly routes: InternalRoutes, private readonly secrets: AlertSecrets, private readonly store: AlertStore) {}

  onModuleInit(): void {
    this.routes.post('/alerts', (request) => this.take(request));
  }

  async take({ authorization, body }: InternalRequest): Promise<InternalAnswer> {
    if (!this.mayPost(authorization)) return { status: 401, body: { error: 'a bearer token is needed' } };
    const { data, error } = notificationSchema.safeParse(jsonOf(body));
    // 400 is not tried again: what does not fit now never will.
    if (!data) return { status: 400, body: { error: error.issues.slice(0, 5).map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ') } };
    const isWatchdog = ({ labels }: Alert): boolean => labels['alertname'] === watchdogName;
    if (data.alerts.some((alert) => isWatchdog(alert) && alert.status === 'firing')) await this.store.noteWatchdog();
    const alerts = data.alerts.filter((alert) => !isWatchdog(alert));
    const added = await this.store.note(alerts.map((alert) => newsOf(alert, data.externalURL)));
    if (alerts.length > 0) this.log.info({ alerts: alerts.map(({ status, labels }) => `${status} ${labels['alertname']}`), added }, 'alerts');
    return { status: 200, body: { alerts: data.alerts.length, added } };
  }

  private mayPost(authorization: string | undefined): boolean {
    if (this.secrets.secrets === null) return true;
    const given = digest(authorization ?? '');
    // Each is compared, so that time tells nothing.
    return this.secrets.secrets.map((secret) => timingSafeEqual(given, digest(`Bearer ${secret}`))).includes(true);
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined; // the schema says what is wrong
  }
}
