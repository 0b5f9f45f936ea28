import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Stripe's checkout sessions of our payments. */
export class CreateStripeSessionTable1765000002002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE stripe_session (
        payment_id text COLLATE "C" PRIMARY KEY,
        order_id text COLLATE "C" NOT NULL,
        -- Null until Stripe has answered.
        session_id text,
        begun_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE INDEX stripe_session_of_order ON stripe_session (order_id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE stripe_session');
  }
}
