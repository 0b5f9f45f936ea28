import { Database } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { TeamMessageStore, type TeamNews } from '../team/team-message.store.js';

/** When the watchdog was last heard, and the news of alerts. */
@Injectable()
export class AlertStore {
  constructor(private readonly database: Database, private readonly messages: TeamMessageStore) {}

  /** All of one notification, or nothing of it: then Alertmanager sends it again. @returns how many rows are new */
  note(news: readonly TeamNews[]): Promise<number> {
    return this.database.transaction((tx) => this.messages.add(tx, 'alerts', news));
  }

  /** The watchdog was heard. If the team was told that it is away, it is told that it is back. */
  async noteWatchdog(): Promise<void> {
    await this.database.transaction(async (tx) => {
      const [before] = await tx.query<{ seenAt: Date; toldAt: Date | null }>('SELECT seen_at AS "seenAt", told_at AS "toldAt" FROM watchdog FOR UPDATE');
      await tx.query('INSERT INTO watchdog DEFAULT VALUES ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp(), told_at = NULL');
      if (before?.toldAt) await this.messages.add(tx, 'alerts', [backNews(before.seenAt)]);
    });
  }

  /** Tells the team, once, if the watchdog was heard and has been away for longer than this. Never heard: nobody has set one up. */
  async tellIfAway(awayMs: number): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const [away] = await tx.query<{ seenAt: Date }>(
        `UPDATE watchdog SET told_at = clock_timestamp() WHERE told_at IS NULL AND seen_at < clock_timestamp() - $1::int * interval '1 millisecond' RETURNING seen_at AS "seenAt"`, [awayMs]);
      if (away) await this.messages.add(tx, 'alerts', [awayNews(away.seenAt)]);
      return away !== undefined;
    });
  }
}

const awayNews = (seenAt: Date): TeamNews => ({
  occasion: `watchdog:away:${seenAt.toISOString()}`, title: 'FIRING page: alerts do not arrive',
  lines: [`The watchdog was last heard at ${seenAt.toISOString()}. Prometheus, Alertmanager or the way from there is down: nobody is told of anything else now.`, 'runbook: docs/runbooks/watchdog.md'], link: null,
});
const backNews = (seenAt: Date): TeamNews => ({
  occasion: `watchdog:back:${seenAt.toISOString()}`, title: 'resolved: alerts arrive again', lines: [`The watchdog had been away since ${seenAt.toISOString()}.`], link: null,
});
