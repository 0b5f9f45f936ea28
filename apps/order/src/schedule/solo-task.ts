import { createLogger, errorText, Shutdown, type Logger } from '@floodgate/platform';

/**
 * Repeated work of which this process does one run at a time: a tick that finds the last run still busy is dropped.
 * A run that throws is logged and tried again at the next tick. Other processes may run the same work; its SQL must bear that.
 */
export class SoloTask {
  private readonly log: Logger;
  private running: Promise<void> | null = null;
  private stopped = false;

  constructor(
    private readonly name: string,
    private readonly work: () => Promise<void>,
    shutdown: Shutdown,
  ) {
    this.log = createLogger(name);
    shutdown.onDrain(name, () => this.stop());
  }

  /** Runs the work unless it is running; resolves, never rejects, when that run is over. */
  async tick(): Promise<void> {
    if (this.stopped) return;
    this.running ??= this.run();
    await this.running;
  }

  /** No run begins any more; resolves when the last is over. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async run(): Promise<void> {
    try {
      await this.work();
    } catch (error) {
      this.log.error({ err: error }, `${this.name}: ${errorText(error)}`);
    } finally {
      this.running = null;
    }
  }
}
