import type { Mutant } from '../../tools/src/mutants/mutant.js';

// By name: Node reads this table as it stands here, with no compiler before it.
const others = await Promise.all(['door', 'proof', 'reconcile'].map(async (name) =>
  ((await import(`./${name}.mutants.ts`)) as Record<string, readonly Mutant[]>)[`${name}Mutants`]!));

/** Every guard that a promise hangs on, and the test that fails without it. `npm run mutants` takes them away, one after the other. */
export const mutants: readonly Mutant[] = [
  // Units.
  {
    name: 'arbiter-ignores-stock', guard: 'an order gets units only where they are free',
    file: 'apps/order/src/place-order/decide.ts',
    find: 'given.free(item.itemId) - (taken.get(item.itemId) ?? 0) >= item.quantity', replace: 'given.free(item.itemId) >= 0',
    test: { path: 'apps/order/src/place-order/decide.spec.ts', name: 'goes in message order and gives what is left' },
  },
  {
    name: 'arbiter-ignores-limits', guard: 'an account gets no more units than it may have, whatever Redis promised',
    file: 'apps/order/src/place-order/decide.ts',
    find: "if (!fits || !within(given.limits.perSale, '', total)) return false;", replace: 'if (!fits) return false;',
    test: { path: 'apps/order/src/place-order/decide.spec.ts', name: 'counts what the account uses already and what it got a moment ago' },
  },
  {
    name: 'take-back-past-the-door', guard: 'units are taken back where buyers take them, and Postgres books that afterwards',
    file: 'apps/order/src/stock-change/change-stock.ts',
    find: 'const result = await this.hold(wanted, nowMs);', replace: "const result = { word: 'reserved', number: 1, reservedAtMs: nowMs } as AttemptResult;",
    test: { path: 'apps/order/src/stock-change/stock-change.int-spec.ts', name: 'that Redis does not give are not taken, although Postgres has them' },
  },
  {
    name: 'no-oversell-check', guard: 'Postgres refuses counters beyond the allotment, whatever the code does',
    file: 'apps/order/src/migrations/create-sale-tables.migration.ts',
    find: 'held + sold + burned <= allotment', replace: 'allotment = allotment',
    test: { path: 'apps/order/src/migrations/last-line.int-spec.ts', name: 'more units held than there are' },
  },
  {
    name: 'judged-twice', guard: 'what has a row is decided already',
    file: 'apps/order/src/place-order/arbiter.ts',
    find: 'for (const order of existing) byRid.delete(order.rid);', replace: '',
    test: { path: 'apps/order/src/place-order/purchase.saga.int-spec.ts', name: 'a reservation that has a row is not judged again' },
  },
  {
    name: 'no-tombstone', guard: 'a cancel before the order exists decides its fate',
    file: 'apps/order/src/place-order/arbiter.ts',
    find: 'if (purchases.length > 0) await this.rows.create(work, purchases);', replace: '',
    test: { path: 'apps/order/src/place-order/arbiter.int-spec.ts', name: 'finds the fate of a cancelled reservation decided' },
  },
  {
    name: 'withdrawn-sale-sells', guard: 'what comes after a withdrawal is refused',
    file: 'apps/order/src/place-order/hold-stock.ts',
    find: "if (work.sale.state === 'WITHDRAWN') return", replace: "if (work.sale.state === 'DRAFT') return",
    test: { path: 'apps/order/src/place-order/arbiter.int-spec.ts', name: 'closes what comes after a withdrawal' },
  },
  {
    name: 'undo-forgets-a-step', guard: 'every step reached is undone, the first one included',
    file: 'apps/order/src/saga/saga.runner.ts',
    find: 'at >= 0; at--', replace: 'at > 0; at--',
    test: { path: 'apps/order/src/place-order/purchase.saga.spec.ts', name: 'undoes every step' },
  },

  // Money and time.
  {
    name: 'no-compare-and-set', guard: 'an order takes a step only from the states it may begin in',
    file: 'apps/order/src/order/order.store.ts',
    find: 'AND rid = ANY($2) AND state = ANY($3) ORDER BY rid', replace: 'AND rid = ANY($2) AND (state = ANY($3) OR true) ORDER BY rid',
    test: { path: 'apps/order/src/order/order.store.int-spec.ts', name: 'is a compare-and-set' },
  },
  {
    name: 'closed-order-is-paid', guard: 'money pays only what is still to be paid',
    file: 'apps/order/src/place-order/purchase.saga.ts',
    find: "=> order.state === 'PENDING' || order.state === 'CLOSING';", replace: "=> order.state !== 'PAID';",
    test: { path: 'apps/order/src/place-order/purchase.saga.int-spec.ts', name: 'a released order is not paid' },
  },
  {
    name: 'paid-order-is-closed', guard: 'a paid order is not released',
    file: 'apps/order/src/place-order/purchase.saga.ts',
    find: "const closable = ['PENDING',", replace: "const closable = ['PAID', 'PENDING',",
    test: { path: 'apps/order/src/place-order/purchase.saga.int-spec.ts', name: 'a paid order is not released' },
  },
  {
    name: 'close-without-asking', guard: 'the provider closes the payment before the units are given back',
    file: 'apps/order/src/sweeper/order.closer.ts',
    find: 'const live = await this.payments.liveOf(this.database, orders);', replace: 'const live: PaymentRow[] = [];',
    test: { path: 'apps/order/src/sweeper/sweeper.int-spec.ts', name: 'has its payment closed at the provider first' },
  },
  {
    name: 'refund-not-unique', guard: 'a payment is given back once, however often that is asked for',
    file: 'apps/order/src/migrations/create-payment-tables.migration.ts',
    find: 'payment_id text COLLATE "C" PRIMARY KEY REFERENCES payment,', replace: 'payment_id text COLLATE "C" REFERENCES payment,',
    test: { path: 'apps/order/src/migrations/last-line.int-spec.ts', name: 'is one refund' },
  },
  {
    name: 'two-live-payments', guard: 'an order has one open payment',
    file: 'apps/order/src/migrations/create-payment-tables.migration.ts',
    find: 'CREATE UNIQUE INDEX payment_one_live', replace: 'CREATE INDEX payment_one_live',
    test: { path: 'apps/order/src/migrations/last-line.int-spec.ts', name: 'a second open payment' },
  },
  {
    name: 'two-payments-pay', guard: 'an order stands for one payment',
    file: 'apps/order/src/migrations/create-payment-tables.migration.ts',
    find: 'CREATE UNIQUE INDEX payment_one_pays', replace: 'CREATE INDEX payment_one_pays',
    test: { path: 'apps/order/src/migrations/last-line.int-spec.ts', name: 'a second one that it stands for' },
  },
  {
    name: 'altered-notice-unseen', guard: 'an event that comes again with another body is flagged',
    file: 'apps/order/src/payment/payment-event.store.ts',
    find: 'known.filter((one) => factsOf(one.notice) !== factsOf(first.get(nameOf(one))!))', replace: 'known.filter((one) => !first.has(nameOf(one)))',
    test: { path: 'apps/order/src/payment/payment.judge.int-spec.ts', name: 'that was judged and comes again as one' },
  },
  {
    name: 'second-capture-kept', guard: 'a capture of a paid order is given back',
    file: 'apps/order/src/payment/payment.effects.ts',
    find: "      case 'refund':\n        return this.giveBack(tx, saleId, decisions);", replace: "      case 'refund':\n        return;",
    test: { path: 'apps/order/src/payment/payment.judge.int-spec.ts', name: 'of a second payment is given back, and the order stays paid' },
  },
  {
    name: 'paid-back-order-forgotten', guard: 'an order whose money the provider gave back by itself comes to its end',
    file: 'apps/order/src/payment/refund.worker.ts',
    find: 'await this.paidBack.finish();', replace: '',
    test: { path: 'apps/order/src/payment/payment.judge.int-spec.ts', name: 'is reported, and lets a withdrawn order end without a refund of ours' },
  },
  {
    name: 'late-money-without-tombstone', guard: 'late money that went back leaves no way for its units to be taken',
    file: 'apps/order/src/reacquire/late-money.ts',
    find: "if (unsure && (await this.bury(tx, late)) === 'existed') return 'waiting';", replace: '',
    test: { path: 'apps/order/src/reacquire/reacquire.int-spec.ts', name: 'leaves no way back for a question that may have been heard' },
  },
  {
    name: 'late-money-settled-twice', guard: 'late money comes to rest once',
    file: 'apps/order/src/reacquire/late-money.books.ts',
    find: 'if (!(await this.rows.isWaiting(tx, late.paymentId))) return null;', replace: '',
    test: { path: 'apps/order/src/reacquire/reacquire.int-spec.ts', name: 'is worked on by several at once, and again from anywhere' },
  },
  {
    name: 'late-money-enters-withdrawn-sale', guard: 'a withdrawn sale lets nobody in, not even who paid late',
    file: 'apps/seckill/src/stock/reserve.lua',
    find: "return state == 'WITHDRAWN' and 'ended' or nil", replace: 'return nil',
    test: { path: 'apps/seckill/src/stock/stock.store.int-spec.ts', name: 'is turned away by a withdrawn sale' },
  },
  {
    name: 'notice-judged-again', guard: 'what a provider tells has its effect once',
    file: 'apps/order/src/payment/payment-event.store.ts',
    find: 'return told.filter((one) => recorded.delete(nameOf(one)));', replace: 'return [...told].filter(() => recorded.size >= 0);',
    test: { path: 'apps/order/src/payment/payment.judge.int-spec.ts', name: 'told twenty times at once pays once' },
  },
  {
    name: 'one-poison-stops-the-sweep', guard: 'an order that cannot be judged keeps no other from being closed',
    file: 'apps/order/src/sweeper/order.closer.ts',
    find: "else this.log.error({ paymentId, err: error }, 'what the provider says of a payment cannot be judged');", replace: 'else throw error;',
    test: { path: 'apps/order/src/stuck-saga/stuck-saga.int-spec.ts', name: 'does not keep its company from being closed' },
  },
  {
    name: 'withdrawal-forgets-fulfilled', guard: 'a withdrawal gives back also what was handed over',
    file: 'apps/order/src/sale/withdraw-sale.job.ts',
    find: "rids(({ state }) => state === 'PAID' || state === 'FULFILLED')", replace: "rids(({ state }) => state === 'PAID')",
    test: { path: 'apps/order/src/sale/withdraw-sale.int-spec.ts', name: 'closes what is open, also while a payment is, refunds what is paid, and refuses what comes later' },
  },

  // Messages.
  {
    name: 'inbox-forgets', guard: 'a message has its effect once',
    file: 'libs/platform/src/outbox/inbox.ts',
    find: 'return rows.length === 1;', replace: 'return rows.length <= 1;',
    test: { path: 'libs/platform/src/outbox/outbox.int-spec.ts', name: 'the inbox knows a message the second time' },
  },
  {
    name: 'ack-before-effect', guard: 'a message is acknowledged after its effect',
    file: 'libs/platform/src/messaging/promise.runner.ts',
    find: '      const result = await this.process(', replace: '      for (const item of items) ack(item.received);\n      const result = await this.process(',
    test: { path: 'libs/platform/src/messaging/consume.int-spec.ts', name: 'an absent server pauses the consumer and burns no attempt' },
  },
  {
    name: 'broker-counts-deliveries', guard: 'the broker’s own limit of deliveries never decides what becomes of a message',
    file: 'libs/platform/src/messaging/topology.declaration.ts',
    find: 'const DELIVERY_LIMIT = 100_000;', replace: 'const DELIVERY_LIMIT = 0;',
    test: { path: 'libs/platform/src/messaging/consume.int-spec.ts', name: 'an absent server pauses the consumer and burns no attempt' },
  },
  {
    name: 'outage-burns-attempts', guard: 'a server that is away is no failure of the message',
    file: 'libs/platform/src/messaging/promise.runner.ts',
    find: "if (failure === 'infrastructure') throw error;", replace: '',
    test: { path: 'libs/platform/src/messaging/consume.int-spec.ts', name: 'an absent server pauses the consumer and burns no attempt' },
  },
  {
    name: 'deadlock-not-retried', guard: 'a serialization failure or a deadlock is tried again in the process',
    file: 'libs/platform/src/postgres/database.ts',
    find: 'if (attempt >= attemptsMax || !isRetryable(error)) throw error;', replace: 'throw error;',
    test: { path: 'libs/platform/src/postgres/database.int-spec.ts', name: 'a serialization failure is tried again' },
  },
  {
    name: 'last-answer-keeps-its-connection', guard: 'who is answered by a service that stops is told that the connection ends',
    file: 'libs/platform/src/shutdown/run-service.ts',
    find: "if (door.closed) reply.header('connection', 'close');", replace: '',
    test: { path: 'libs/platform/src/shutdown/run-service.int-spec.ts', name: 'stops in the order that loses nothing' },
  },
  {
    name: 'not-mandatory', guard: 'a message that reaches no queue is not taken for published',
    file: 'libs/platform/src/messaging/confirmed.publisher.ts',
    find: 'mandatory: true', replace: 'mandatory: false',
    test: { path: 'libs/platform/src/messaging/publisher.int-spec.ts', name: 'says UNROUTABLE when nobody is bound' },
  },
  {
    name: 'outbox-by-last-id', guard: 'outbox rows are found by being there, not by their number',
    file: 'libs/platform/src/outbox/outbox.relay.ts',
    find: "if (rows.length === 0) return 'empty';", replace: "const seen = this as unknown as { last?: number };\n      rows.splice(0, rows.length, ...rows.filter(({ id }) => id > (seen.last ?? 0)));\n      if (rows.length === 0) return 'empty';\n      tx.afterCommit(() => { seen.last = rows.at(-1)?.id; });",
    test: { path: 'libs/platform/src/outbox/outbox.int-spec.ts', name: 'a row that commits after a later one is not passed over' },
  },
  {
    name: 'ready-while-stopping', guard: 'a service that stops is not ready any more',
    file: 'libs/platform/src/shutdown/readiness.ts',
    find: "return this.stopping ? ['stopping'] : failingOf(this.checks);", replace: 'return failingOf(this.checks);',
    test: { path: 'libs/platform/src/shutdown/readiness.spec.ts', name: 'is over once the service stops' },
  },

  // Redis.
  {
    name: 'answer-before-confirm', guard: 'nobody is told of a reservation before the broker has it',
    file: 'apps/seckill/src/reserve/reservations.ts',
    find: 'await published;', replace: 'published.catch(() => undefined);',
    test: { path: 'apps/seckill/src/reserve/reservations.int-spec.ts', name: 'nothing is said to be reserved, or replayed' },
  },
  {
    name: 'replay-before-confirm', guard: 'a replay waits for the confirm that its first answer never had',
    file: 'apps/seckill/src/stock/reserve.lua',
    find: "local unconfirmed = version == '0' and", replace: "local unconfirmed = version == 'never' and",
    test: { path: 'apps/seckill/src/reserve/reservations.int-spec.ts', name: 'nothing is said to be reserved, or replayed' },
  },
  {
    name: 'reserves-while-blocked', guard: 'while the broker takes no messages Redis is not asked',
    file: 'apps/seckill/src/reserve/reservations.ts',
    find: "this.inFlight > VECTORS_MAX || this.publisher.state !== 'up'", replace: 'this.inFlight > VECTORS_MAX',
    test: { path: 'apps/seckill/src/reserve/reservations.int-spec.ts', name: 'while the broker blocks publishers Redis is not touched either' },
  },
  {
    name: 'undo-on-publish-error', guard: 'a publish that failed may have arrived: nothing is undone',
    file: 'apps/seckill/src/reserve/reservations.ts',
    find: "      this.logger.warn({ lane: lane.name, reservations: reservations.length }, errorText(error));\n",
    replace: '      await this.stock.sync(lane.keys, reservations.map((one) => ({ ...one, version: 1, holds: false, settled: true })));\n',
    test: { path: 'apps/seckill/src/reserve/reservations.int-spec.ts', name: 'the outcome is unknown, nothing is undone, and the same key finds out' },
  },
  {
    name: 'stale-epoch-sells', guard: 'a caller of another epoch gets nothing',
    file: 'apps/seckill/src/stock/reserve.lua',
    find: 'if laneEpoch ~= epoch then', replace: 'if laneEpoch == false then',
    test: { path: 'apps/seckill/src/stock/stock.store.int-spec.ts', name: 'the vector as a whole is refused, and nothing is written' },
  },
  {
    name: 'promise-of-an-old-epoch', guard: 'what an older epoch reserved is not promised',
    file: 'apps/seckill/src/reserve/reservations.ts',
    find: 'return stands();\n  }', replace: 'return true;\n  }',
    test: { path: 'apps/seckill/src/reserve/reservations.int-spec.ts', name: 'a load between the reservation and its confirm makes the outcome unknown' },
  },
  {
    name: 'eval-fallback', guard: 'a Redis that does not know the script has forgotten more, and does not sell',
    file: 'apps/seckill/src/stock/stock.store.ts',
    find: 'this.redis.evalsha(scripts.reserve.sha, 7,', replace: 'this.redis.eval(scripts.reserve.text, 7,',
    test: { path: 'apps/seckill/src/stock/load.int-spec.ts', name: 'a restart and a script flush leave no selling script, and reserving does not bring it' },
  },
  {
    name: 'unversioned-sync', guard: 'an older word of Postgres does not undo a newer one',
    file: 'apps/seckill/src/stock/sync.lua',
    find: 'if tonumber(version) > oldVersion then\n    applied', replace: 'if true then\n    applied',
    test: { path: 'apps/seckill/src/stock/sync.int-spec.ts', name: 'an older word after a newer one changes nothing' },
  },
  {
    name: 'account-counter-stays', guard: 'what an account holds moves with every reservation of it',
    file: 'apps/seckill/src/stock/sync.lua',
    find: "if perAccount then redis.call('HINCRBY', buyerKey, accountId, total) end", replace: '',
    test: { path: 'apps/seckill/src/stock/stock.model.int-spec.ts', name: 'any mixture of vectors, syncs and rebuilds agrees with the model, step by step' },
  },
  {
    name: 'release-needs-memory', guard: 'units come back though Redis is out of memory',
    file: 'apps/seckill/src/stock/sync.lua',
    find: '#!lua flags=allow-oom', replace: '#!lua',
    test: { path: 'apps/seckill/src/stock/load.int-spec.ts', name: 'out of memory nothing is reserved, but units come back and boards are told' },
  },
  {
    name: 'resend-after-lost-reply', guard: 'a command whose answer was lost is not sent again',
    file: 'libs/platform/src/redis/redis.client.ts',
    find: 'autoResendUnfulfilledCommands: false,\n    autoResubscribe: true,\n    commandTimeout: commandTimeoutMs ?? 1_000,\n    connectTimeout: 3_000,\n    maxRetriesPerRequest: 0,',
    // Two settings say so, each of which is enough.
    replace: 'autoResendUnfulfilledCommands: true,\n    autoResubscribe: true,\n    commandTimeout: 10_000,\n    connectTimeout: 3_000,\n    maxRetriesPerRequest: null,',
    test: { path: 'libs/platform/src/redis/redis.client.int-spec.ts', name: 'a command whose reply was lost has failed and is not sent again' },
  },
  {
    name: 'reaper-that-releases', guard: 'what Postgres has not spoken of is sent again, never released',
    file: 'apps/seckill/src/relay/reaper.ts',
    find: 'await publishReservations(this.publisher, lane, lane.epoch, reservations);',
    replace: 'await this.stock.sync(lane.keys, reservations.map((one) => ({ ...one, version: 1, holds: false, settled: true })));',
    test: { path: 'apps/seckill/src/reserve/reservations.int-spec.ts', name: 'and whose relay entry is gone, is published by the reaper after a minute, and stays held' },
  },
  {
    name: 'winner-refused-early', guard: 'an account that was admitted reaches its replay',
    file: 'apps/gateway/src/reservation/early-refusal.ts',
    find: 'return accountId !== null && this.sales', replace: "return accountId === '' && this.sales",
    test: { path: 'apps/gateway/src/reservation/reservation.controller.spec.ts', name: 'never come for an account that was ever admitted: its replay is behind them' },
  },

  ...others.flat(),
];
