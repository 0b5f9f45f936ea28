// Reads a Dockerfile as far as ours goes: stages of instructions, flags, lists in JSON.
import { readFileSync } from 'node:fs';

/**
 * @returns stages in order: `{ name, from, steps }`, steps `{ word, flags, args, text }`; `globals` are the ARGs before the first FROM
 * @throws on an instruction that is not known here
 */
export function readDockerfile(file) {
  return parseDockerfile(readFileSync(file, 'utf8'));
}

const words = ['FROM', 'ARG', 'ENV', 'WORKDIR', 'COPY', 'RUN', 'USER', 'HEALTHCHECK', 'ENTRYPOINT', 'CMD', 'EXPOSE', 'LABEL'];

export function parseDockerfile(text) {
  const globals = {};
  const stages = [];
  for (const line of text.replaceAll(/\\\n\s*/g, ' ').split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const step = parseStep(line);
    if (step.word === 'FROM') stages.push({ name: step.args[2] ?? String(stages.length), from: step.args[0], steps: [] });
    else if (stages.length === 0) Object.assign(globals, pairOf(step.text));
    else stages.at(-1).steps.push(step);
  }
  return { globals, stages };
}

/** `NAME=value`, or `NAME` for what the caller has to give. */
export function pairOf(text) {
  const [name, ...value] = text.split('=');
  return { [name.trim()]: value.join('=').trim() };
}

function parseStep(line) {
  const [, word, rest] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? [];
  if (!words.includes(word)) throw new Error(`not understood: ${line}`);
  const flags = {};
  let text = rest;
  for (let match; (match = /^--([a-z-]+)=(\S+)\s+/.exec(text)); text = text.slice(match[0].length)) flags[match[1]] = match[2];
  return { word, flags, text, args: listOf(word === 'HEALTHCHECK' ? text.replace(/^CMD\s+/, '') : text) };
}

const listOf = (text) => (text.startsWith('[') ? JSON.parse(text) : text.split(/\s+/));
