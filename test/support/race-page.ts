/** The tables of apps/order/src/payment/payment-race.ts, as that file exports them. */
export interface RaceTables {
  raceActions: Record<string, string>;
  judgedBefore: Record<string, { action: string; status: number; when: string }>;
  orderEvents: readonly string[];
  raceStates: readonly string[];
  paymentRace: Record<string, Record<string, string>>;
  paymentEvents: readonly string[];
  paymentSteps: Record<string, Record<string, string>>;
}

/** docs/payment-race.md, made of the tables alone. */
export function racePage(tables: RaceTables): string {
  const { raceActions, judgedBefore, orderEvents, raceStates, paymentRace, paymentEvents, paymentSteps } = tables;
  return [
    '# The payment race',
    '',
    'What is done about everything that a payment provider can say, wherever the order stands then. Made by `npm run docs` of',
    '[payment-race.ts](../apps/order/src/payment/payment-race.ts), the one place where it is decided; a test visits every cell, another one sees that this page is current.',
    'What people see of it: [money.md](money.md).',
    '',
    '## 1. Before the order is looked at',
    '',
    'In the order in which it is found out; the same in every state of the order, and nothing is changed.',
    '',
    table(['the message is', 'when', 'action', 'answered'], Object.entries(judgedBefore).map(([kind, row]) => [code(kind), row.when, code(row.action), String(row.status)])),
    '',
    '## 2. The payment',
    '',
    'Its state × what is told → its next state. A dot is old news (section 1). `authorised` moves nothing: the money is reserved and not ours, the payment stays live, and closing it voids the authorisation.',
    '',
    table(['payment', ...paymentEvents], Object.entries(paymentSteps).map(([state, row]) => [code(state), ...paymentEvents.map((event) => (row[event] ? code(row[event]) : '·'))])),
    '',
    '## 3. The order',
    '',
    'Where the order stands × what happened to a payment of it → action. `refunded`: the payment that the order stands for; `extra-refunded`: any other.',
    '',
    table(['order', ...orderEvents], raceStates.map((state) => [code(state), ...orderEvents.map((event) => code(paymentRace[state]![event]!))])),
    '',
    '## Actions',
    '',
    table(['action', 'what it does'], Object.entries(raceActions).map(([action, text]) => [code(action), text])),
    '',
  ].join('\n');
}

const code = (text: string): string => `\`${text}\``;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
