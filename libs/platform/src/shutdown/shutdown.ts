import { Injectable, Logger } from '@nestjs/common';
import { errorText } from '../errors.js';

/** What is to be done before the connections close, by phase; within a phase all at once. */
@Injectable()
export class Shutdown {
  private readonly logger = new Logger('Shutdown');
  private readonly hooks = { intake: [] as Hook[], drain: [] as Hook[] };

  /** Stop taking in new work, such as open event streams. Runs before the HTTP server waits for its requests. */
  onIntake(name: string, run: () => void | Promise<void>): void {
    this.hooks.intake.push({ name, run });
  }

  /** Finish what is under way, such as timers and relays. Runs after the consumers have finished, while every connection is still up. */
  onDrain(name: string, run: () => void | Promise<void>): void {
    this.hooks.drain.push({ name, run });
  }

  /** A hook that fails is logged and keeps nobody else from finishing. */
  async run(phase: 'intake' | 'drain'): Promise<void> {
    await Promise.all(this.hooks[phase].map(async ({ name, run }) => {
      try {
        await run();
      } catch (error) {
        this.logger.error(`${name}: ${errorText(error)}`);
      }
    }));
  }
}

interface Hook {
  name: string;
  run: () => void | Promise<void>;
}
