import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { spawnOwned, type ProcessSpec } from './owned-process.js';

/** A server as the supervisor sees it: how to start it, how to know that it serves, how to end it. */
export interface ServerSpec {
  readonly name: string;
  /** Called before every start, restarts included: the place for what must exist or be running first. */
  readonly launch: () => Promise<ProcessSpec>;
  readonly isReady: () => Promise<boolean>;
  readonly readyWithinMs: number;
  readonly stopSignal: NodeJS.Signals;
  /** After this long a stop becomes SIGKILL. */
  readonly stopWithinMs: number;
  /** The longest wait before a process that died young again is started again; default 3 s. */
  readonly backoffMaxMs?: number;
}

/** What happened to a supervised process, for the log line and for run.json. */
export type ProcessEvent = 'started' | 'died' | 'restarted' | 'killed';

const readyPollMs = 40;
/** Restarts at once after a death; a process that dies young again and again waits longer each time. */
const backoffFirstMs = 100;
const backoffMaxMs = 3_000;
const livedLongMs = 10_000;
/** A server that cannot even start says why in its log; more tries only hide that. */
const startAttemptsMax = 5;

/** Keeps one server running until `stop`. */
export class SupervisedProcess {
  /** Of the process that runs now; null while none does. */
  pid: number | null = null;
  /** The same, but of the last one while a new one is being started: readers of run.json never meet a hole. */
  lastPid = 0;
  private child: ChildProcess | null = null;
  private stopping = false;
  private launching: Promise<void> = Promise.resolve();
  private exited: Promise<void> = Promise.resolve();
  private youngDeaths = 0;
  private everReady = false;
  private lastSpec: ProcessSpec | null = null;
  private restart: NodeJS.Timeout | null = null;
  private failure: Error | null = null;

  constructor(
    readonly spec: ServerSpec,
    private readonly onEvent: (event: ProcessEvent, server: SupervisedProcess, detail: string) => void,
  ) {}

  /** Starts it and waits until it serves; throws with the end of its log when it does not. */
  async start(): Promise<void> {
    await this.launch('started');
    await this.untilReady();
    this.everReady = true;
  }

  /** Waits until it serves (again). */
  async untilReady(): Promise<void> {
    const deadline = Date.now() + this.spec.readyWithinMs;
    while (!(await this.spec.isReady())) {
      if (this.failure) throw this.failure;
      if (this.stopping) throw new Error(`${this.spec.name} was stopped while it started`);
      if (Date.now() > deadline) throw new Error(`${this.spec.name} was not ready within ${this.spec.readyWithinMs / 1000} s${this.logTail()}`);
      await delay(readyPollMs);
    }
  }

  /** From now on a death is final. */
  retire(): void {
    this.stopping = true;
    if (this.restart) clearTimeout(this.restart);
  }

  /** Ends it for good: politely, then by force. Never throws. */
  async stop(): Promise<void> {
    this.retire();
    await this.launching.catch(() => undefined); // whoever started it hears of the failure
    if (!this.child) return;
    const pid = this.pid;
    this.child.kill(this.spec.stopSignal);
    const inTime = await Promise.race([this.exited.then(() => true), delay(this.spec.stopWithinMs, false, { ref: false })]);
    if (!inTime) {
      this.onEvent('killed', this, `it did not stop within ${this.spec.stopWithinMs / 1000} s`);
      this.child.kill('SIGKILL');
    }
    await this.exited;
    if (pid !== null) killGroup(pid);
  }

  private launch(event: 'started' | 'restarted'): Promise<void> {
    this.launching = this.spawn(event);
    return this.launching;
  }

  private async spawn(event: 'started' | 'restarted'): Promise<void> {
    const spec = await this.spec.launch();
    if (this.stopping) return;
    this.lastSpec = spec;
    const child = spawnOwned(spec);
    const startedAt = Date.now();
    this.child = child;
    this.pid = child.pid ?? null;
    this.lastPid = child.pid ?? this.lastPid;
    this.exited = new Promise((resolve) => {
      const ended = (detail: string): void => {
        if (this.child !== child) return;
        this.child = null;
        if (this.pid !== null) killGroup(this.pid);
        this.pid = null;
        resolve();
        if (!this.stopping) this.died(detail, Date.now() - startedAt);
      };
      child.once('error', (error) => ended(error.message));
      child.once('exit', (code, signal) => ended(signal ?? `exit ${String(code)}`));
    });
    this.onEvent(event, this, `pid ${String(this.pid)}`);
  }

  private died(detail: string, livedMs: number): void {
    this.youngDeaths = livedMs < livedLongMs ? this.youngDeaths + 1 : 0;
    if (!this.everReady && this.youngDeaths >= startAttemptsMax) {
      this.failure = new Error(`${this.spec.name} ended while it started (${detail})${this.logTail()}`);
      return;
    }
    this.onEvent('died', this, detail);
    const waitMs = this.youngDeaths <= 1 ? 0 : Math.min(this.spec.backoffMaxMs ?? backoffMaxMs, backoffFirstMs * 2 ** (this.youngDeaths - 2));
    this.restart = setTimeout(() => {
      this.launch('restarted').catch((error: unknown) => this.died(String(error), 0));
    }, waitMs);
  }

  private logTail(): string {
    const file = this.lastSpec?.logFile;
    if (file === undefined) return '';
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-8);
    return `; the end of ${file}:\n${lines.map((line) => `  | ${line.slice(0, 400)}`).join('\n')}`;
  }
}

/** Helpers that a server left in its group (Redis' rewriting child, for one) go with it. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: the group is empty, which is the normal case
  }
}
