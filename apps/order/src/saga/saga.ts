/**
 * A saga is a table of steps, act and undo side by side. The engine's contract, stated once:
 *
 * - `run` is idempotent. It takes many subjects at once and returns those that cannot go on, each with the reason; a refusal is a value.
 *   An exception is a bug or an outage: the transaction of the whole segment rolls back, and whoever drives the saga asks again.
 * - `undo` is safe though `run` never happened for a subject, or its outcome is unknown.
 * - When a step fails, every step reached, the failing one included, is undone, newest first.
 * - An undo is retried until it succeeds: an exception rolls the transaction back, the subject keeps its place, and the driver comes again.
 *   A saga that stays between its steps for long is visible (the driver's metric and alert), never dropped.
 * - The step without an undo is the point of no return. It and what follows only go forward: a failure there is an exception, retried.
 * - Local steps that stand together share one transaction, forward and back. A step with `until` is where the saga waits for the world.
 *
 * Subjects keep their own place (a state in their row): the engine stores nothing, so no second record can contradict the first.
 */
export interface LocalStep<Subject, Work, Reason> {
  name: string;
  run(work: Work, subjects: readonly Subject[]): Promise<readonly Failure<Subject, Reason>[] | void>;
  undo?(work: Work, subjects: readonly Subject[], reason: Reason): Promise<void>;
}

export interface WaitingStep<Subject, Work, Reason> {
  name: string;
  /** The event that ends the waiting; anything else that ends it is a failure of this step. */
  until: string;
  undo(work: Work, subjects: readonly Subject[], reason: Reason): Promise<void>;
}

export type Step<Subject, Work, Reason> = LocalStep<Subject, Work, Reason> | WaitingStep<Subject, Work, Reason>;

export interface Failure<Subject, Reason> {
  subject: Subject;
  reason: Reason;
}

export const isWaiting = <S, W, R>(step: Step<S, W, R>): step is WaitingStep<S, W, R> => 'until' in step;
