/** The environment as this command reads it; an empty variable counts as absent. */
export interface CliConfig {
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
  /** Colours are left out wherever it is set (no-color.org). */
  readonly noColor: boolean;
}

export function loadCliConfig(environment: Readonly<Record<string, string | undefined>> = process.env): CliConfig {
  const read = (name: string): string | undefined => environment[name] || undefined;
  return { url: read('FLOODGATE_URL'), token: read('FLOODGATE_TOKEN'), tokenFile: read('FLOODGATE_TOKEN_FILE'), noColor: read('NO_COLOR') !== undefined };
}
