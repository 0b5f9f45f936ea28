import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Who may buy in a sale that is not for everybody. Accounts are kept as hashes only (`audienceHash`): eight bytes each for those who follow,
 * and no list of names at rest. Members are fixed when the sale is submitted; guests come by a code until it ends.
 */
export class Audience1765000008004 implements MigrationInterface {
  name = 'Audience1765000008004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE sale ADD COLUMN audience jsonb;
      CREATE TABLE audience_member (
        sale_id text NOT NULL,
        hash    bigint NOT NULL,
        PRIMARY KEY (sale_id, hash)
      );
      CREATE TABLE audience_guest (
        sale_id   text NOT NULL,
        hash      bigint NOT NULL,
        -- Order of coming; drawn under the lock of the sale's guests, so that whoever has read up to one has missed none before it.
        seq       bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
        PRIMARY KEY (sale_id, hash)
      );
      CREATE INDEX audience_guest_in_order ON audience_guest (sale_id, seq);
      CREATE TABLE audience_code (
        sale_id text NOT NULL,
        -- HMAC of the code with the sale's secret.
        code    text NOT NULL,
        uses    integer NOT NULL,
        used    integer NOT NULL DEFAULT 0,
        PRIMARY KEY (sale_id, code),
        CONSTRAINT not_used_up CHECK (used >= 0 AND used <= uses)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE audience_code, audience_guest, audience_member; ALTER TABLE sale DROP COLUMN audience');
  }
}
