import type { RedisRow } from '@floodgate/contracts';

/** A minute without a word from Postgres: the message is in a long queue or a retry tier, or it is lost. */
export const OVERDUE_MS = 60_000;

/** Whether it is time to publish a reservation again. `nowMs`: Redis's clock. */
export const isOverdue = ({ version, reservedAtMs }: RedisRow, nowMs: number): boolean => version === 0 && reservedAtMs < nowMs - OVERDUE_MS;
