import { files } from '../architecture/source.js';

export interface RunbookCommand {
  readonly page: string;
  readonly command: string;
  /** What it says when all is well, a line each. */
  readonly says: readonly string[];
}

/** What asks a machine that a test does not have for itself: its clock, its disk, its broker's control; or needs a dead letter, or two books of money. */
const elsewhere = /^(?:chronyc|iostat|rabbitmqctl|npm run|.*LETTER_ID)/;

/** Every command of the runbooks that needs nothing but a platform on which all is well. */
export const runbookCommands = (): RunbookCommand[] => files('docs/runbooks/*.md').filter(({ path }) => !path.endsWith('/README.md')).flatMap(({ path, text }) =>
  [...text.matchAll(/```sh\n([^]*?)\n```\n\n```\n([^]*?)\n```/g)].map((match) => ({ page: path, command: match[1]!, says: match[2] === '(no output)' ? [] : match[2]!.split('\n') })))
  .filter(({ command }) => !elsewhere.test(command));

/** The lines of a page that the output does not have; all of the output where the page says that there is none. `…` stands for anything. */
export function missingLines(says: readonly string[], out: string): string[] {
  const lines = out.split('\n').map((line) => line.trim()).filter((line) => line !== '');
  if (says.length === 0) return lines;
  return says.filter((said) => {
    const pattern = new RegExp(`^${said.trim().split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`);
    return !lines.some((line) => pattern.test(line));
  });
}
