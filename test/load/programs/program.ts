/** What a program of the bench says to it: `ready`, and then what it did. */
export type FromProgram = 'ready' | { readonly operations: number; readonly seconds: number };
/** What it is told: for how long to work. */
export interface ToProgram {
  readonly seconds: number;
}

const warmUpMs = 1_500;

/** Does `once` so many times at once until it is told to stop; it resolves to how many operations it was. Warms up first, by itself. @param clean as in {@link beReady} */
export async function beMeasured(atOnce: number, once: (nth: number) => Promise<number>, clean?: () => Promise<unknown>): Promise<void> {
  let nth = 0;
  const during = async (ms: number): Promise<{ operations: number; seconds: number }> => {
    const startedAtMs = performance.now();
    let operations = 0;
    const work = async (): Promise<void> => {
      while (performance.now() - startedAtMs < ms) {
        const done = await once(nth++); // not `+= await`, which would add to what the sum was before
        operations += done;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    return { operations, seconds: (performance.now() - startedAtMs) / 1_000 };
  };
  await during(warmUpMs);
  process.on('message', ({ seconds }: ToProgram) => void during(seconds * 1_000).then(say));
  beReady(clean);
}

/** Says that it is there; ends when the bench lets go of it. @param clean takes away what it has left on the servers */
export function beReady(clean: () => Promise<unknown> = () => Promise.resolve()): void {
  process.on('disconnect', () => void clean().finally(() => process.exit(0)));
  say('ready');
}

const say = (what: FromProgram): void => void process.send?.(what);

/** Where a program finds what it needs; the bench sets it. */
export const settings = {
  redisUrl: process.env['REDIS_URL'] ?? '',
  amqpUrl: process.env['AMQP_URL'] ?? '',
  namespace: process.env['NAMESPACE'] ?? 'bench-programs',
  /** Attempts in one call. */
  vector: Number(process.env['VECTOR'] ?? 1),
  /** Units on sale; 0 is a sale that is sold out. */
  units: Number(process.env['UNITS'] ?? 0),
};
