/** Waiting that ends early, all at once, when the run is stopped. One signal with a listener per waiting buyer would cost a walk over thousands of listeners each time. */
export class Pauses {
  private readonly waiting = new Set<{ timer: NodeJS.Timeout; resolve: () => void }>();
  private over = false;

  /** True once the run was stopped: whoever waits in a loop leaves it. */
  get stopped(): boolean {
    return this.over;
  }

  sleep(ms: number): Promise<void> {
    if (this.over) return Promise.resolve();
    return new Promise((resolve) => {
      const entry = { resolve, timer: setTimeout(() => { this.waiting.delete(entry); resolve(); }, Math.max(0, ms)) };
      this.waiting.add(entry);
    });
  }

  stop(): void {
    this.over = true;
    for (const { timer, resolve } of this.waiting) {
      clearTimeout(timer);
      resolve();
    }
    this.waiting.clear();
  }
}
