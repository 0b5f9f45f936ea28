import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The audit log takes entries from elsewhere once each, and chains them: every entry carries a hash of itself and of the one before it,
 * so that whoever gets past the trigger (the table's owner can) is found out.
 */
export class AuditLog1765000008001 implements MigrationInterface {
  name = 'AuditLog1765000008001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(columnsSql);
    await runner.query(chainSql);
    await runner.query('REVOKE UPDATE, DELETE, TRUNCATE ON audit_log FROM PUBLIC, CURRENT_USER');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TRIGGER audit_log_chain ON audit_log; DROP FUNCTION chain_audit_log(), audit_log_hash(text, audit_log)');
    await runner.query('ALTER TABLE audit_log DROP COLUMN source_id, DROP COLUMN hash');
  }
}

const columnsSql = `
ALTER TABLE audit_log ADD COLUMN source_id text UNIQUE, ADD COLUMN hash text;
COMMENT ON COLUMN audit_log.source_id IS 'the act as another service names it: taken once, however often it is told';
`;

// One writer at a time: the lock is held to the end of the transaction, so an entry is always chained to one that stays. Operators act
// seldom. The id is drawn under the lock too, so that the order of ids is the order of the chain.
const chainSql = `
CREATE FUNCTION audit_log_hash(previous text, entry audit_log) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT encode(sha256(convert_to(jsonb_build_array(
    previous, entry.id, extract(epoch FROM entry.at)::text, entry.account_id, entry.action, entry.subject, entry.reason, entry.before, entry.after, entry.source_id
  )::text, 'UTF8')), 'hex')
$$;
CREATE FUNCTION chain_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('audit log of ' || current_schema(), 0));
  NEW.id := nextval(pg_get_serial_sequence('audit_log', 'id'));
  NEW.hash := audit_log_hash((SELECT hash FROM audit_log ORDER BY id DESC LIMIT 1), NEW);
  RETURN NEW;
END $$;
DO $$
DECLARE entry audit_log; previous text;
BEGIN
  ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only;
  FOR entry IN SELECT * FROM audit_log ORDER BY id LOOP
    previous := audit_log_hash(previous, entry);
    UPDATE audit_log SET hash = previous WHERE id = entry.id;
  END LOOP;
  ALTER TABLE audit_log ENABLE TRIGGER audit_log_append_only;
END $$;
ALTER TABLE audit_log ALTER COLUMN hash SET NOT NULL;
CREATE TRIGGER audit_log_chain BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION chain_audit_log();
`;
