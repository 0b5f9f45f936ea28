import { createHash } from 'node:crypto';
import type { LoggerService } from '@nestjs/common';
import { pino, stdSerializers, type Level, type LevelWithSilent, type Logger } from 'pino';
import { workFields } from './work.js';

export type { Logger } from 'pino';

// One destination for all: synchronous, so that the last lines before an exit are not lost.
const root = pino({ serializers: { err: withoutRows }, mixin: workFields, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } });
const loggers: Logger[] = [root];

/** Postgres repeats the row at fault in `detail` and `where`: accounts and addresses have no place in logs. */
function withoutRows(error: Error): object {
  const { detail: _detail, where: _where, ...rest } = stdSerializers.err(error) as unknown as Record<string, unknown>;
  return rest;
}

/** A logger that writes JSON lines to stdout, each with the id of the request it is about; its level follows {@link setLogLevel}. */
export function createLogger(name: string): Logger {
  const logger = root.child({ name });
  loggers.push(logger);
  return logger;
}

/** Sets the level of every logger of the process, made or yet to be made. */
export function setLogLevel(level: LevelWithSilent): void {
  for (const logger of loggers) logger.level = level;
}

/** What stands for an account in logs: stable, so that lines can be joined; short and one-way, so that nobody is named. */
export const hashForLog = (accountId: string): string => createHash('sha256').update(accountId).digest('hex').slice(0, 12);

/** Nest's own lines in the same form. Nest passes `(message, ...details, context)`. */
export class NestLogger implements LoggerService {
  private readonly logger: Logger;

  constructor(service: string) {
    this.logger = createLogger(service);
  }

  log(message: unknown, ...rest: unknown[]): void { this.write('info', message, rest); }
  error(message: unknown, ...rest: unknown[]): void { this.write('error', message, rest); }
  warn(message: unknown, ...rest: unknown[]): void { this.write('warn', message, rest); }
  debug(message: unknown, ...rest: unknown[]): void { this.write('debug', message, rest); }
  verbose(message: unknown, ...rest: unknown[]): void { this.write('trace', message, rest); }
  fatal(message: unknown, ...rest: unknown[]): void { this.write('fatal', message, rest); }

  private write(level: Level, message: unknown, rest: unknown[]): void {
    const context = typeof rest.at(-1) === 'string' ? (rest.at(-1) as string) : undefined;
    const details = rest.slice(0, context === undefined ? undefined : -1).filter((detail) => detail !== undefined);
    const err = message instanceof Error ? message : details.find((detail) => detail instanceof Error);
    const text = message instanceof Error ? message.message : typeof message === 'string' ? message : JSON.stringify(message);
    this.logger[level]({ context, ...(err ? { err } : {}), ...(details.length > 0 && !err ? { details } : {}) }, text);
  }
}
