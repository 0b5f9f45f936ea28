/** Longest sleep: setTimeout overflows above 2^31 ms and would fire at once. */
const sleepMaxMs = 60_000;

/** One timer that runs `task` when the earliest known moment has come; the task itself says when it wants to run next. */
export class DueTimer {
  private timer: NodeJS.Timeout | null = null;
  private dueAtMs = Number.POSITIVE_INFINITY;
  private stopped = false;

  constructor(private readonly task: () => void) {}

  /** Makes sure that the task runs at `atMs` (epoch) or earlier; null asks for nothing. */
  wakeAt(atMs: number | null): void {
    if (this.stopped || atMs === null || atMs >= this.dueAtMs) return;
    this.dueAtMs = atMs;
    if (this.timer) clearTimeout(this.timer);
    const delayMs = Math.min(Math.max(0, atMs - Date.now()), sleepMaxMs);
    this.timer = setTimeout(() => this.fire(), delayMs);
  }

  stop(): void {
    this.stopped = true;
    if (this.timer) clearTimeout(this.timer);
  }

  private fire(): void {
    const dueAtMs = this.dueAtMs;
    this.timer = null;
    this.dueAtMs = Number.POSITIVE_INFINITY;
    if (dueAtMs > Date.now()) this.wakeAt(dueAtMs);
    else this.task();
  }
}
