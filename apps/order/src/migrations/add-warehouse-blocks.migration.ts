import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What an outside warehouse is asked for, and has answered. */
export class AddWarehouseBlocks1765000003003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE warehouse_block (
        -- The warehouse's key of the operation: the same however often it is asked.
        operation_id text COLLATE "C" PRIMARY KEY,
        kind text NOT NULL CHECK (kind IN ('take', 'put-back')),
        sku_id text COLLATE "C" NOT NULL,
        units int NOT NULL CHECK (units > 0),
        state text NOT NULL DEFAULT 'WAITING' CHECK (state IN ('WAITING', 'DONE')),
        granted int CHECK (granted BETWEEN 0 AND units),
        attempts int NOT NULL DEFAULT 0,
        last_error text,
        next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        done_at timestamptz,
        CONSTRAINT done_has_answer CHECK ((state = 'DONE') = (granted IS NOT NULL))
      );
      CREATE INDEX warehouse_block_due ON warehouse_block (next_attempt_at) WHERE state = 'WAITING';
      CREATE INDEX warehouse_block_of_sku ON warehouse_block (sku_id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE warehouse_block');
  }
}
