import type { Command } from '../command/command.js';

export const shells = ['bash', 'zsh'] as const;
export type Shell = (typeof shells)[number];
export const isShell = (text: string): text is Shell => (shells as readonly string[]).includes(text);

const globalFlags = ['--url', '--token-file', '--allow-http', '--timeout', '--json', '--yes', '--help'];
const globalWithValue = ['--url', '--token-file', '--timeout'];
/** Flags whose value is a file. */
const withFile = ['--token-file', '--out'];

interface Words {
  /** Every command, and every beginning of one. */
  known: readonly string[];
  /** A command, or its beginning → the words that may come next. */
  next: Map<string, readonly string[]>;
  /** A command → its own options. */
  flags: Map<string, readonly string[]>;
  withValue: readonly string[];
  /** An option → what its value may be. */
  values: Map<string, readonly string[]>;
}

/** Made of the table of commands; it asks no gateway, so a completion is instant and works without one. */
export function completionScript(shell: Shell, commands: readonly Command[]): string {
  const words = wordsOf(commands);
  return shell === 'bash' ? bash(words) : zsh(words);
}

function wordsOf(commands: readonly Command[]): Words {
  const next = new Map<string, readonly string[]>();
  const flags = new Map<string, readonly string[]>();
  const values = new Map<string, readonly string[]>();
  const withValue = new Set(globalWithValue);
  const offer = (typed: string, word: string): void => void next.set(typed, [...new Set([...(next.get(typed) ?? []), word])]);
  for (const { name, parameters = [], options = [] } of commands) {
    const parts = name.split(' ');
    parts.forEach((part, index) => offer(parts.slice(0, index).join(' '), part));
    if (parameters[0]?.choices) next.set(name, parameters[0].choices);
    const own = options.map((option) => ({ ...option, flag: option.flags.split(' ')[0]! }));
    flags.set(name, own.map(({ flag }) => flag));
    for (const { flag, flags: written, choices } of own) {
      if (written.includes('<')) withValue.add(flag);
      if (choices) values.set(flag, choices);
    }
  }
  const known = [...new Set([...next.keys(), ...flags.keys()])].filter(Boolean);
  return { known, next, flags, withValue: [...withValue], values };
}

/** The part of a script that looks a key up. */
const cases = (map: ReadonlyMap<string, readonly string[]>, act: (words: string) => string): string[] =>
  [...map].filter(([, words]) => words.length > 0).map(([typed, words]) => `    ('${typed}') ${act(words.join(' '))} ;;`);

function bash({ known, next, flags, withValue, values }: Words): string {
  return `# Completion of floodgate for bash. Put this into ~/.bashrc: source <(floodgate completion bash)
_floodgate() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} typed= args= skip= word words=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ -n $skip ]]; then skip=; continue; fi
    case $word in
      (${withValue.join('|')}) skip=1 ;;
      (-*) ;;
      (*) case "\${typed:+$typed }$word" in
        (${known.map((one) => `'${one}'`).join('|')}) typed+=\${typed:+ }$word ;;
        (*) args=yes ;;
      esac ;;
    esac
  done
  case $previous in
    (${withFile.join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;
${[...values].map(([flag, words]) => `    (${flag}) COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$current")); return ;;`).join('\n')}
    (${withValue.filter((flag) => !withFile.includes(flag) && !values.has(flag)).join('|')}) COMPREPLY=(); return ;;
  esac
  if [[ $current == -* ]]; then
    words='${globalFlags.join(' ')}'
    case $typed in
${cases(flags, (list) => `words+=' ${list}'`).join('\n')}
    esac
  elif [[ -z $args ]]; then
    case $typed in
${cases(next, (list) => `words='${list}'`).join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _floodgate floodgate`;
}

function zsh({ known, next, flags, withValue, values }: Words): string {
  return `#compdef floodgate
# Completion of floodgate for zsh. Put this into ~/.zshrc, after compinit: source <(floodgate completion zsh)
_floodgate() {
  local typed= args= skip= word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n $skip ]]; then skip=; continue; fi
    case $word in
      (${withValue.join('|')}) skip=1 ;;
      (-*) ;;
      (*) case "\${typed:+$typed }$word" in
        (${known.map((one) => `'${one}'`).join('|')}) typed+=\${typed:+ }$word ;;
        (*) args=yes ;;
      esac ;;
    esac
  done
  case \${words[CURRENT-1]} in
    (${withFile.join('|')}) _files; return ;;
${[...values].map(([flag, words]) => `    (${flag}) compadd -- ${words.join(' ')}; return ;;`).join('\n')}
    (${withValue.filter((flag) => !withFile.includes(flag) && !values.has(flag)).join('|')}) return ;;
  esac
  if [[ \${words[CURRENT]} == -* ]]; then
    compadd -- ${globalFlags.join(' ')}
    case $typed in
${cases(flags, (list) => `compadd -- ${list}`).join('\n')}
    esac
  elif [[ -z $args ]]; then
    case $typed in
${cases(next, (list) => `compadd -- ${list}`).join('\n')}
    esac
  fi
}
compdef _floodgate floodgate`;
}
