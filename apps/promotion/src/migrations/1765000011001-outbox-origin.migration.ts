import { outboxOriginSql } from '@floodgate/platform';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Messages that say which request they come from, and in which trace. */
export class OutboxOrigin1765000011001 implements MigrationInterface {
  name = 'OutboxOrigin1765000011001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(outboxOriginSql);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE outbox DROP COLUMN request_id, DROP COLUMN traceparent');
  }
}
