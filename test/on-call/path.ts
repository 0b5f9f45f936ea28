import { expect } from '@jest/globals';
import type { Dashboard } from '../../tools/src/observe/dashboards.js';
import { dashboards } from '../../tools/src/observe/dashboards.js';
import { eventually } from '../support/eventually.js';
import type { Alert, PrometheusClient } from '../support/prometheus.client.js';
import { withoutVariables } from '../support/promql.js';
import type { Ran, Terminal } from './terminal.js';

/** Gauges are measured each five seconds, processes start again in seconds, and the machine may be busy with other things. */
const patiently = { timeoutMs: 90_000 };

/** What a line of a panel must show: that number, or at least one. */
export type Shown = number | { readonly atLeast: number };

/** What a command has to end with and to say. */
export interface Expected {
  readonly exit?: number;
  readonly until?: string;
  /** How many lines. */
  readonly lines?: number;
  /** It is typed once, whatever it says and ends with: typed again it would do something else. */
  readonly once?: boolean;
}

/** One fault's path from the alert to its end. Each step is done in earnest, waits for what it must show, and is written down as it was. */
export class Path {
  private readonly written: string[] = [];
  private readonly names = new Map<string, string>();

  constructor(private readonly prometheus: PrometheusClient, private readonly terminal: Terminal) {}

  /** What was written down, with times, addresses and what has a name replaced. */
  get text(): string {
    return plain([...this.names].reduce((text, [found, name]) => text.replaceAll(found, name), this.written.join('\n\n')));
  }

  /** From now on the page calls it so, whatever it is in this run. A name that is as long keeps columns where they are. */
  calls(found: string, name: string): string {
    this.names.set(found, name);
    return found;
  }

  says(words: string): void {
    this.written.push(words);
  }

  /** Waits until the alert fires. */
  async arrives(name: string): Promise<void> {
    const alert = await eventually(async () => {
      const [one] = await this.firing(name);
      expect([name, one?.state]).toEqual([name, 'firing']);
      return one!;
    }, patiently);
    const { labels, annotations } = alert;
    this.block('The alert:', [`[${labels['severity']}] ${name}`, annotations['summary']!, annotations['runbook']!]);
  }

  /** Waits until these lines of the panel show that. `where` picks the series, of a panel with one line for each of something. */
  async shows(board: keyof typeof dashboards, title: string, lines: Readonly<Record<string, Shown>>, where: Readonly<Record<string, string>> = {}): Promise<void> {
    const queries = panelOf(dashboards[board]!, title);
    await eventually(async () => {
      for (const [legend, shown] of Object.entries(lines)) {
        const samples = await this.prometheus.query(withoutVariables(queries[legend]!));
        const values = samples.filter(({ metric }) => Object.entries(where).every(([label, value]) => metric[label] === value)).map(({ value }) => value);
        if (typeof shown === 'number') expect([legend, ...values]).toEqual([legend, shown]);
        else expect([legend, values.length, values.every((value) => value >= shown.atLeast)]).toEqual([legend, 1, true]);
      }
    }, patiently);
    const named = (legend: string): string => legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => where[label] ?? Object.values(where)[0] ?? label);
    const asked = Object.keys(lines).map((legend) => `\`${queries[legend]}\``).join(', ');
    this.block(`Dashboard *${board}*, panel "${title}" (${asked}):`, Object.entries(lines).map(([legend, shown]) => `${named(legend)}: ${typeof shown === 'number' ? shown : `${shown.atLeast} or more`}`));
  }

  /** Types a command, again and again where its output has to say something first. */
  async types(command: string, { exit = 0, until = '', lines, once = false }: Expected = {}): Promise<Ran> {
    const ran = await eventually(async () => {
      const ran = await this.terminal.type(command);
      const said = ran.out === '' ? 0 : ran.out.split('\n').length;
      if (!once) expect({ command, ...ran, said }).toEqual({ command, exit, out: expect.stringContaining(until), err: ran.err, said: lines ?? said });
      return ran;
    }, patiently);
    this.written.push(`\`\`\`sh\n${command}\n\`\`\``, `\`\`\`\n${ran.out === '' ? '(no output)' : ran.out}${exit === 0 ? '' : `\n(exit ${exit})`}\n\`\`\``);
    return ran;
  }

  /** Waits until none of these alerts fires. */
  async isOver(...names: string[]): Promise<void> {
    await eventually(async () => {
      for (const name of names) expect([name, ...(await this.firing(name))]).toEqual([name]);
    }, patiently);
    this.written.push(`It is over when Prometheus says so: ${names.map((name) => `\`${name}\``).join(' and ')} ${names.length === 1 ? 'has' : 'have'} resolved.`);
  }

  private async firing(name: string): Promise<Alert[]> {
    return (await this.prometheus.firing()).filter(({ labels }) => labels['alertname'] === name);
  }

  private block(title: string, lines: readonly string[]): void {
    this.written.push(title, `\`\`\`\n${lines.join('\n')}\n\`\`\``);
  }
}

function panelOf({ panels }: Dashboard, title: string): Readonly<Record<string, string>> {
  const panel = panels.find((one) => one.title === title);
  if (!panel) throw new Error(`there is no panel "${title}"`);
  return panel.queries;
}

const time = '2026-11-11T20:00:00.000Z';

/** Replaces what is another one in every run, times with as long a one, so that columns stay where they are. */
const plain = (text: string): string => text
  .replaceAll(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, time)
  .replaceAll(/\b\d\d:\d\d:\d\d\.\d+/g, '00:01:10.123456')
  .replaceAll(/\bopen for [\dms. ]+s$/gm, 'open for 1m 10s')
  .replaceAll(/\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/g, '00000000-0000-4000-8000-000000000000')
  .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT');
