import { cpuPerOperation, perSecond } from '../measurement.js';
import { measurePrograms, type Program } from '../program.js';
import { times, type Comparison } from './comparison.js';

const subjects: Readonly<Record<string, { asks: string; answers: string }>> = {
  'floodgate': { asks: 'hop-asker', answers: 'hop-answerer' },
  'Nest send': { asks: 'nest-asker', answers: 'nest-answerer' },
};

/** The way from the gateway to seckill over the broker and back, with nothing behind it: 256 who wait for their answers. */
export const hop: Comparison = {
  name: 'hop',
  title: 'The hop from the gateway to seckill and back, nothing behind it',
  operation: 'attempt',
  subjects: Object.keys(subjects),
  targets: [
    { name: 'attempts per second, floodgate ÷ Nest send', of: times(perSecond, 'floodgate', 'Nest send'), sense: 'at-least', must: 15, stretch: 25 },
    { name: 'CPU, Nest send ÷ floodgate', of: times(cpuPerOperation, 'Nest send', 'floodgate'), sense: 'at-least', must: 15, stretch: 25 },
  ],
  measure: (arena, subject, options) => {
    const { rabbitmq } = arena.servers;
    const { asks, answers } = subjects[subject]!;
    const program = (name: string): Program => ({ name, env: { AMQP_URL: rabbitmq.url, NAMESPACE: 'bench-hop' } });
    return measurePrograms({ asks: program(asks), answers: [program(answers)], servers: { rabbitmq: rabbitmq.pid } }, options);
  },
};
