import { crashPoint } from '@floodgate/platform';
import { isWaiting, type Failure, type Step } from './saga.js';

/** Drives subjects through a table of steps; the contract is in saga.ts. `Work` is what a segment shares: its transaction above all. */
export class SagaRunner<Subject, Work, Reason> {
  readonly pointOfNoReturn: number;

  /** Throws on a table that breaks the contract: an undo missing before the point of no return, or present after it. */
  constructor(readonly steps: readonly Step<Subject, Work, Reason>[]) {
    const pivot = steps.findIndex((step) => step.undo === undefined);
    this.pointOfNoReturn = pivot < 0 ? steps.length : pivot;
    for (const step of steps.slice(this.pointOfNoReturn)) {
      if (step.undo || isWaiting(step)) throw new Error(`${step.name}: after the point of no return there is only forward`);
    }
    if (new Set(steps.map((step) => step.name)).size < steps.length) throw new Error('two steps have the same name');
  }

  /** Runs new subjects up to the first step that waits. Those that fail have been undone when this returns. */
  async start(work: Work, subjects: readonly Subject[]): Promise<{ reached: Subject[]; undone: Failure<Subject, Reason>[] }> {
    return this.forward(work, subjects, 0);
  }

  /** The event that `subjects` wait for has come: runs the steps after it. */
  async happened(event: string, work: Work, subjects: readonly Subject[]): Promise<{ reached: Subject[]; undone: Failure<Subject, Reason>[] }> {
    return this.forward(work, subjects, this.indexOf((step) => isWaiting(step) && step.until === event, event) + 1);
  }

  /** Undoes every step up to and including the one named, newest first, for subjects that stand there and fail. */
  async undoFrom(name: string, work: Work, subjects: readonly Subject[], reason: Reason): Promise<void> {
    const reached = this.indexOf((step) => step.name === name, name);
    if (reached >= this.pointOfNoReturn) throw new Error(`${name}: beyond the point of no return`);
    await this.back(work, subjects, reached, reason);
  }

  private async forward(work: Work, subjects: readonly Subject[], from: number) {
    let reached = [...subjects];
    const undone: Failure<Subject, Reason>[] = [];
    for (let at = from; at < this.steps.length && reached.length > 0; at++) {
      const step = this.steps[at]!;
      if (isWaiting(step)) break;
      const failures = (await step.run(work, reached)) ?? [];
      crashPoint('saga.after-step');
      if (failures.length === 0) continue;
      if (at >= this.pointOfNoReturn) throw new Error(`${step.name}: failed after the point of no return`);
      for (const [reason, failed] of byReason(failures)) await this.back(work, failed, at, reason);
      undone.push(...failures);
      const gone = new Set(failures.map((failure) => failure.subject));
      reached = reached.filter((subject) => !gone.has(subject));
    }
    return { reached, undone };
  }

  private async back(work: Work, subjects: readonly Subject[], from: number, reason: Reason): Promise<void> {
    if (subjects.length === 0) return;
    for (let at = from; at >= 0; at--) {
      await this.steps[at]!.undo!(work, subjects, reason);
      crashPoint('saga.after-undo');
    }
  }

  private indexOf(matches: (step: Step<Subject, Work, Reason>) => boolean, what: string): number {
    const index = this.steps.findIndex(matches);
    if (index < 0) throw new Error(`no step of this saga knows ${what}`);
    return index;
  }
}

function byReason<Subject, Reason>(failures: readonly Failure<Subject, Reason>[]): Map<Reason, Subject[]> {
  const groups = new Map<Reason, Subject[]>();
  for (const { subject, reason } of failures) groups.set(reason, [...(groups.get(reason) ?? []), subject]);
  return groups;
}
