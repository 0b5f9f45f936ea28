/** What test/model has found. */
export interface ModelResult {
  readonly worlds: { of: string; what: string; states: number }[];
  readonly guards: { guard: string; world: string; breaks: string; trace: readonly string[] }[];
}

/** docs/model.md, made of what was explored. */
export function modelPage({ worlds, guards }: ModelResult): string {
  return [
    '# The model',
    '',
    'The protocol of [architecture.md](architecture.md) as a small program, of which every state that can be reached is looked at: in [test/model](../test/model).',
    '[reservation.model.ts](../test/model/reservation.model.ts) is the way from the reserve script to an order and back into Redis,',
    '[payment.model.ts](../test/model/payment.model.ts) the race between a payment and the end of its time, decided by the table that the order service uses ([payment-race.md](payment-race.md)).',
    'Made by `npm run docs`; `npm test` explores the same and sees that this page is current; `npm run model` goes further and takes minutes.',
    '',
    '## Explored',
    '',
    'Every step in every order. In none of these states is a promise broken, and whatever comes to rest has an end.',
    '',
    '| world | what happens in it | states |',
    '| --- | --- | ---: |',
    ...worlds.map(({ of, what, states }) => `| ${of} | ${what} | ${states.toLocaleString('en')} |`),
    '',
    'In the hurried load alone a promise may be taken back, and a winner be told "sold out": what Redis forgot was not judged in time. Nothing is oversold there either.',
    '',
    '## Guards',
    '',
    'Each taken away alone, in the world named; the shortest way to what breaks.',
    '',
    '| guard | world | what breaks without it | how |',
    '| --- | --- | --- | --- |',
    ...guards.map(({ guard, world, breaks, trace }) => `| ${guard} | ${world} | ${breaks} | ${trace.join(' → ')} |`),
    '',
    '## What it does not show',
    '',
    'A buyer takes one unit; there is one lane and one memory of its epoch; a message reaches the broker at once or never; Postgres loses nothing; there are no clocks.',
    'The relay alone could be taken away here: the reaper does its work, only later, and time is not in the model.',
    'The scripts themselves are held against a model by [stock.model.int-spec.ts](../apps/seckill/src/stock/stock.model.int-spec.ts), scripts and transactions together,',
    'with messages late, repeated and in any order, by [stock.model.int-spec.ts](../test/stock/stock.model.int-spec.ts): orders, closing, refunds, stock changes, rebuilds and the ledger.',
    '',
  ].join('\n');
}
