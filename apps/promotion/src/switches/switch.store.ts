import { Inject, Injectable } from '@nestjs/common';
import { switchDefault, switchValues, type SwitchName, type SwitchState, type SwitchValues } from '@floodgate/contracts';
import { Database, type Transaction } from '@floodgate/platform';
import { AuditLogStore } from '../audit-log/audit-log.store.js';

/** Injection token: whether the defaults are those of production. */
export const PRODUCTION = Symbol('production');

/** A switch that somebody has set. */
export interface SetSwitch {
  name: string;
  value: boolean | number;
  version: number;
  changedBy: string;
  changedAt: Date;
}

const columns = 'name, value, version, changed_by AS "changedBy", changed_at AS "changedAt"';

/** The table of switches. A change and its entry in the audit log are one transaction. */
@Injectable()
export class SwitchStore {
  constructor(private readonly database: Database, private readonly auditLog: AuditLogStore, @Inject(PRODUCTION) readonly production: boolean) {}

  all(): Promise<SetSwitch[]> {
    return this.database.query<SetSwitch>(`SELECT ${columns} FROM switch`);
  }

  /** Every switch's value, as this transaction sees it. */
  async valuesIn(tx: Transaction): Promise<SwitchValues> {
    return switchValues(this.production, stateOf(await tx.query<SetSwitch>(`SELECT ${columns} FROM switch`)).values);
  }

  /**
   * Sets a switch, unless it has this value already.
   * @returns the state of all switches if this was a change, else null
   */
  set(name: SwitchName, value: boolean | number, accountId: string): Promise<SwitchState | null> {
    return this.database.transaction(async (tx) => {
      // Changes are rare and have one order: the next version is the highest plus one.
      await tx.query('LOCK TABLE switch IN SHARE ROW EXCLUSIVE MODE');
      const rows = await tx.query<SetSwitch>(`SELECT ${columns} FROM switch`);
      const before = rows.find((row) => row.name === name)?.value ?? switchDefault(name, this.production);
      if (before === value) return null;
      const version = stateOf(rows).version + 1;
      await tx.query(
        `INSERT INTO switch (name, value, version, changed_by) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, version = excluded.version, changed_by = excluded.changed_by, changed_at = clock_timestamp()`,
        [name, JSON.stringify(value), version, accountId],
      );
      await this.auditLog.add(tx, { accountId, action: 'set-switch', subject: name, reason: null, before: { value: before }, after: { value } });
      return { version, values: { ...stateOf(rows).values, [name]: value } };
    });
  }
}

/** What the gateways need of the rows. */
export const stateOf = (rows: readonly SetSwitch[]): SwitchState => ({
  version: Math.max(0, ...rows.map((row) => row.version)),
  values: Object.fromEntries(rows.map((row) => [row.name, row.value])),
});
