/** What one round of one subject came to. */
export interface Measurement {
  /** What was done: requests answered, or sales on record. Everything that was used is divided by it. */
  readonly operations: number;
  /** From the first request until the last operation was done. */
  readonly seconds: number;
  /** CPU microseconds of all operations together, by process. */
  readonly cpuUs: Readonly<Record<string, number>>;
  /** From the moment at which a request was meant to be sent; null where nobody waited for an answer. */
  readonly latencyMs: Latency | null;
  /** Bytes that each process has for itself at the end. */
  readonly memoryBytes: Readonly<Record<string, number>>;
  /** HTTP answers by status; 0: none came. */
  readonly answers?: Readonly<Record<string, number>>;
  /** What else was found out, by name. */
  readonly extra?: Readonly<Record<string, number>>;
  /** What the records say of the sales of this round, where there are such. */
  readonly audit?: 'clean' | 'broken' | 'unknown';
}

export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
}

/** CPU microseconds per operation, all processes together. */
export const cpuPerOperation = ({ cpuUs, operations }: Measurement): number => Object.values(cpuUs).reduce((sum, us) => sum + us, 0) / operations;
export const perSecond = ({ operations, seconds }: Measurement): number => operations / seconds;
