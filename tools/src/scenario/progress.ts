import type { Tally } from './tally.js';

const drawEveryMs = 250;
const lineEveryMs = 3_000;

/**
 * Shows how a run goes: a block redrawn a few times a second on a terminal, else a plain line every few seconds.
 * @param out where a terminal may be; `note` takes the plain lines
 */
export class Progress {
  /** What is going on, in a few words. */
  phase = '';
  /** Messages that wait to become orders; null where that is not known. */
  queueDepth: () => number | null = () => null;
  private drawn = 0;
  private readonly startedAtMs = Date.now();
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly tally: Tally, private readonly out: NodeJS.WriteStream, private readonly note: (line: string) => void) {
    this.timer = setInterval(() => this.show(), out.isTTY ? drawEveryMs : lineEveryMs);
  }

  /** Shows the last state and stops. */
  stop(): void {
    clearInterval(this.timer);
    this.show();
  }

  private show(): void {
    if (!this.out.isTTY) {
      this.note(this.lines().map((line) => line.trim()).join(' · '));
      return;
    }
    const width = this.out.columns || 120; // A terminal that does not know its width says 0.
    const lines = this.lines().map((line) => line.slice(0, width - 1));
    const up = this.drawn > 0 ? `\u001b[${this.drawn}A` : '';
    this.out.write(`${up}${lines.map((line) => `\u001b[2K${line}\n`).join('')}`);
    this.drawn = lines.length;
  }

  private lines(): string[] {
    const { tally } = this;
    const { states } = tally;
    const depth = this.queueDepth();
    const refused = [...tally.refused].toSorted((a, b) => b[1] - a[1]).map(([code, count]) => `${code} ${count}`).join(', ');
    return [
      `  ${((Date.now() - this.startedAtMs) / 1000).toFixed(0).padStart(3)} s  ${this.phase}`,
      `  attempts ${tally.attempts}, accepted ${tally.accepted}, waiting ${tally.waiting}${tally.unknown > 0 ? `, unknown ${tally.unknown}` : ''}`,
      `  refused: ${refused || 'none'}`,
      `  queued ${states.QUEUED}, ordered ${states.ORDERED}, paid ${states.PAID + states.FULFILLED}, released ${states.RELEASED}${depth === null ? '' : `, queue depth ${depth}`}`,
    ];
  }
}
