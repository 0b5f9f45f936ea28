import type { Command } from '../command/command.js';
import { usageFailure } from '../failure.js';
import { completionScript, isShell, shells } from './completion-script.js';

/** @param all every command there is; the script is made of them, so it knows itself too */
export const completionCommands = (all: () => readonly Command[]): readonly Command[] => [{
  name: 'completion', about: 'a script that completes words; in the shell: source <(floodgate completion bash)', role: '', offline: true,
  parameters: [{ name: 'shell', about: shells.join(' or '), choices: shells }],
  run: async ({ args: [shell = ''] }) => {
    if (!isShell(shell)) throw usageFailure(`completion is there for ${shells.join(' and ')}`);
    const script = completionScript(shell, all());
    return { value: { shell, script }, lines: script.split('\n') };
  },
}];
