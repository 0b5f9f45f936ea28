import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The kinds of news are a table of the code, checked by its compiler; a copy of it in the database only made each new kind an outage. */
export class BuyerMessageKinds1765000001000 implements MigrationInterface {
  name = 'BuyerMessageKinds1765000001000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE buyer_message DROP CONSTRAINT buyer_message_kind_check');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE buyer_message ADD CONSTRAINT buyer_message_kind_check CHECK (kind IN ('created', 'paid', 'closed')) NOT VALID");
  }
}
