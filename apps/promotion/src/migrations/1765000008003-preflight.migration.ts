import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When the checklist last kept a sale from being armed, and who edited the sale last. */
export class Preflight1765000008003 implements MigrationInterface {
  name = 'Preflight1765000008003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE sale ADD COLUMN held_back_at timestamptz, ADD COLUMN edited_by text;
      UPDATE sale SET edited_by = merchant_id;
      ALTER TABLE sale ALTER COLUMN edited_by SET NOT NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE sale DROP COLUMN held_back_at, DROP COLUMN edited_by');
  }
}
