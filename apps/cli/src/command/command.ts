import type { Ending } from '../exit-codes.js';
import type { Gateway } from '../gateway/gateway.client.js';

/** One word that stands after the command. */
export interface Parameter {
  readonly name: string;
  readonly about: string;
  /** For completion only: a newer gateway may know more. */
  readonly choices?: readonly string[];
}

export interface Option {
  /** As commander writes it: `--limit <n>`. */
  readonly flags: string;
  readonly about: string;
  readonly required?: true;
  readonly choices?: readonly string[];
  /** @throws Failure usage */
  readonly parse?: (text: string) => unknown;
  readonly default?: unknown;
}

/** What a command has to work with. */
export interface Call {
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly gateway: Gateway;
  readonly json: boolean;
  /** Aborted by Ctrl-C. */
  readonly stop: AbortSignal;
  /** For what comes while the command runs; its end is in its {@link Result}. */
  readonly screen: Screen;
}

export interface Screen {
  print(text: string): void;
  /** Columns of the terminal, or null where it is none. */
  readonly columns: number | null;
}

export interface Result {
  /** Printed with `--json`: where one call answers, the gateway's answer as it is. Undefined: everything was printed while it ran. */
  readonly value: unknown;
  /** Printed without. */
  readonly lines: readonly string[];
  readonly ending?: Ending;
}

/** One row of the command table. */
export interface Command {
  /** Its words: `sale list`. */
  readonly name: string;
  readonly about: string;
  /** Which role the token must have. */
  readonly role: string;
  readonly parameters?: readonly Parameter[];
  readonly options?: readonly Option[];
  /** It cannot be taken back: what people are asked at a terminal, and scripts answer with --yes. */
  readonly confirm?: (args: readonly string[]) => string;
  /** Works without a gateway. */
  readonly offline?: true;
  run(call: Call): Promise<Result>;
}
