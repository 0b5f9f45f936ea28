import type { OutboundAnswer } from '@floodgate/platform';

/** One message to the team. Plain text: each robot writes it so that nothing in it is markup or calls anybody. */
export interface TeamMessage {
  title: string;
  lines: readonly string[];
  /** Where to read on. */
  link: string | null;
}

/** Where a channel leads, as an operator has saved it: https of a robot or webhook, `mailto:` of a mailbox. */
export interface Target {
  url: string;
  /** Signs what is sent, where the other side wants that. */
  secret: string | null;
}

/** So many messages in any window of this length, or the robot refuses. */
export interface RateLimit {
  messages: number;
  withinMs: number;
}

/** What became of a message. `waitMs`: the other side wants to be left alone for so long. */
export type Sent = { ok: true } | { ok: false; error: string; waitMs?: number };

/** One HTTP request. */
export interface RobotRequest {
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** How one kind of robot is spoken to over HTTP: its own format, its own limits, and its own way to say no. */
export interface Robot {
  limits: readonly RateLimit[];
  /** Longest text, UTF-8 bytes, of title, lines and link together. */
  bytesMax: number;
  /** Whether a channel of this kind cannot be without a secret. */
  needsSecret: boolean;
  /** @param nowMs for signatures, which are good for a while only */
  write(message: TeamMessage, target: Target, nowMs: number): RobotRequest;
  /** Robots answer 200 whatever happens; what happened stands in the body. */
  read(answer: OutboundAnswer): Sent;
}

/** A mailbox names no limit; more often than that nobody reads it, and what came meanwhile is in the next. */
export const mailLimits: readonly RateLimit[] = [{ messages: 6, withinMs: 60_000 }];
export const mailBytesMax = 64_000;
