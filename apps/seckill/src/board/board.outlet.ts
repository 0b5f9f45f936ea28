import type { Board } from '@floodgate/contracts';
import { Publisher, Shutdown } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';

/** Where boards go, and when they end. */
@Injectable()
export class BoardOutlet {
  constructor(private readonly publisher: Publisher, private readonly shutdown: Shutdown) {}

  publish(board: Board): void {
    this.publisher.publishBoard(board);
  }

  whenStopping(run: () => Promise<void>): void {
    this.shutdown.onDrain('board', run);
  }
}
