import { outboxOriginSql, outboxTableSql } from '@floodgate/platform';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Where the team is told things, and what it is told. */
export class TeamChannel1766000000000 implements MigrationInterface {
  name = 'TeamChannel1766000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(channelTableSql);
    await runner.query(teamMessageTableSql);
    await runner.query(outboxTableSql);
    await runner.query(outboxOriginSql);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE outbox, team_message, channel');
  }
}

const channelTableSql = `
CREATE TABLE channel (
  name          text PRIMARY KEY,
  kind          text NOT NULL,
  -- A robot's key stands in its URL: neither this nor the secret ever leaves the table but to the robot.
  url           text NOT NULL,
  secret        text,
  hears         text[] NOT NULL,
  saved_by      text NOT NULL,
  saved_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Newest first, as many as the widest limit counts.
  sent_at       timestamptz[] NOT NULL DEFAULT '{}',
  -- Not before: its limit, or the time to wait after a failure.
  next_at       timestamptz NOT NULL DEFAULT '-infinity',
  -- Until then whoever took the row is sending.
  claimed_until timestamptz NOT NULL DEFAULT '-infinity',
  failures      integer NOT NULL DEFAULT 0,
  last_error    text
)`;

const teamMessageTableSql = `
CREATE TABLE team_message (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  channel    text NOT NULL REFERENCES channel ON DELETE CASCADE,
  -- What it is about, once for each channel: whoever says the same again is not heard.
  occasion   text NOT NULL,
  title      text NOT NULL,
  lines      text[] NOT NULL,
  link       text,
  state      text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'given-up')),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  settled_at timestamptz,
  UNIQUE (channel, occasion)
);
CREATE INDEX team_message_pending ON team_message (channel, id) WHERE state = 'pending';
CREATE INDEX team_message_settled ON team_message (settled_at) WHERE state <> 'pending'`;
