import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { importChunkMax, refuse, type Actor, type Answer, type Outcome } from '@floodgate/contracts';
import { isRefusal, Services } from '../problem/services.js';
import { isCodeHeader, lineBytesMax, readCodeLine, type CodeFormat } from './code-line.js';
import { LineSplitter, type Line } from './line-splitter.js';

export interface CodeImportView {
  received: number;
  added: number;
  duplicates: number;
  invalid: number;
  errors: { line: number; message: string }[];
}

export interface ImportTarget {
  actor: Actor;
  saleId: string;
  itemId: string;
}

const errorsMax = 100;
/** Chunks on their way: one is written while the next is read, and the sender waits for both. */
const inFlightMax = 2;
/** A chunk without an answer is sent again under its number, for about as long as a service takes to be started again. */
const retryDelaysMs = [250, 500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000, 4_000, 4_000];

/** One import: lines in, chunks of codes out, and never more in memory than a few chunks, however long the stream is. */
export class CodeImport {
  readonly view: CodeImportView = { received: 0, added: 0, duplicates: 0, invalid: 0, errors: [] };
  private readonly importId = randomUUID();
  private readonly lines = new LineSplitter(lineBytesMax);
  private codes: string[] = [];
  private chunks = 0;
  private headerSeen: boolean;
  private failure: Extract<Answer<'get-sale'>, { ok: false }> | null = null;
  private readonly inFlight = new Set<Promise<void>>();

  constructor(private readonly services: Services, private readonly target: ImportTarget, private readonly format: CodeFormat, private readonly delaysMs = retryDelaysMs) {
    this.headerSeen = format !== 'text/csv';
  }

  /** Reads the stream to its end, as fast as the codes are written. A refusal leaves what was added; the whole file can be sent again. */
  async run(stream: AsyncIterable<Buffer>): Promise<Outcome<CodeImportView>> {
    for await (const bytes of stream) {
      await this.take(this.lines.push(bytes));
      if (this.failure) break;
    }
    await this.take(this.lines.end());
    if (!this.headerSeen && !this.failure) this.failure = badHeader();
    await this.send(1);
    await Promise.all(this.inFlight);
    return this.failure ?? { ok: true, value: this.view };
  }

  private async take(lines: readonly Line[]): Promise<void> {
    for (const line of lines) {
      if (this.failure) return;
      if (this.headerSeen) this.read(line);
      else if (isCodeHeader(line)) this.headerSeen = true;
      else this.failure = badHeader();
      await this.send(importChunkMax);
    }
  }

  private read(line: Line): void {
    const read = readCodeLine(this.format, line);
    if (read === 'blank') return;
    this.view.received++;
    if ('code' in read) this.codes.push(read.code);
    else {
      this.view.invalid++;
      if (this.view.errors.length < errorsMax) this.view.errors.push({ line: line.number, message: read.fault });
    }
  }

  /** Sends what was read, if it is `atLeast` so much, once there is room for it. */
  private async send(atLeast: number): Promise<void> {
    if (this.codes.length < atLeast || this.failure) return;
    const [codes, chunk] = [this.codes, this.chunks++];
    this.codes = [];
    while (this.inFlight.size >= inFlightMax) await Promise.race(this.inFlight);
    const sending = this.sendChunk(chunk, codes).finally(() => this.inFlight.delete(sending));
    this.inFlight.add(sending);
  }

  private async sendChunk(chunk: number, codes: string[]): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const answer = await this.services.ask('import-codes', { importId: this.importId, chunk, ...this.target, codes });
      if (!isRefusal(answer)) {
        this.view.added += answer.added;
        this.view.duplicates += answer.duplicates;
        return;
      }
      const delayMs = this.delaysMs[attempt];
      if (delayMs === undefined || this.failure) {
        this.failure ??= answer;
        return;
      }
      await wait(delayMs);
    }
  }
}

const badHeader = () => refuse('INVALID_REQUEST', 'The first line must be the header code.', { errors: [{ path: '', message: 'line 1 must be the header `code`' }] });
