import { describe, expect, it } from '@jest/globals';
import type { TeamMessage } from '../channels/team-channel.js';
import { plainText } from '../robots/answers.js';
import { combine } from './combine.js';

const message = (title: string, lines: string[] = [], link: string | null = null): TeamMessage => ({ title, lines, link });
const bytes = (one: TeamMessage): number => Buffer.byteLength(plainText(one));

describe('what waits for a channel', () => {
  it('is itself, if it is one message', () => {
    const one = message('Redis is away', ['since 10:00'], 'https://x.example/');
    expect(combine([one], 2_000)).toEqual(one);
  });

  it('is one message with everything, if it fits', () => {
    expect(combine([message('A', ['a'], 'https://x.example/'), message('B')], 2_000)).toEqual(message('2 messages', ['- A', '  a', '  https://x.example/', '- B']));
  });

  it('counts what does not fit', () => {
    const combined = combine(Array.from({ length: 12 }, (_, index) => message(`Alert ${index}`, ['x'.repeat(50)])), 400);
    expect(combined.lines.filter((line) => line.startsWith('- Alert'))).toEqual(['- Alert 0', '- Alert 1', '- Alert 2', '- Alert 3', '- Alert 4']);
    expect([combined.title, combined.lines.at(-1)]).toEqual(['12 messages', 'and 7 more']);
  });

  it.each([['a long title', [message('t'.repeat(900))]], ['a long line', [message('T', ['y'.repeat(900), 'z'])]], ['characters of four bytes', [message('𝄞'.repeat(99), ['火'.repeat(400)])]],
    ['a first one that is too long', [message('T', ['y'.repeat(900)]), message('B')]], ['a long link', [message('T', [], `https://x.example/${'l'.repeat(900)}`)]],
    ['many', Array.from({ length: 300 }, () => message('T', ['u']))]])('with %s is never longer than the robot takes, and whole characters', (_, messages) => {
    for (const bytesMax of [200, 400, 801]) {
      const combined = combine(messages, bytesMax);
      expect(bytes(combined)).toBeLessThanOrEqual(bytesMax);
      expect(plainText(combined).isWellFormed()).toBe(true);
    }
  });
});
