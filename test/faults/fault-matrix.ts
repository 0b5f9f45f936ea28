/** A test, by a part of its name as literally written in the file. */
interface NamedTest {
  readonly path: string;
  readonly name: string;
}

export interface FaultRow {
  readonly fault: string;
  /** What is true then, and how it goes on. */
  readonly holds: string;
  readonly tests: readonly NamedTest[];
}

const at = (path: string, ...names: string[]): NamedTest[] => names.map((name) => ({ path, name }));
const messaging = (file: string, ...names: string[]): NamedTest[] => at(`libs/platform/src/messaging/${file}.int-spec.ts`, ...names);
const orderFaults = (...names: string[]): NamedTest[] => at('apps/order/src/place-order/place-order.faults.int-spec.ts', ...names);
const reservations = (...names: string[]): NamedTest[] => at('apps/seckill/src/reserve/reservations.int-spec.ts', ...names);
const database = (...names: string[]): NamedTest[] => at('libs/platform/src/postgres/database.int-spec.ts', ...names);

/** Each fault of the broker, the database and the processes between them, with the tests that cause it. docs/fault-matrix.md is made of it. */
export const faultMatrix: Readonly<Record<string, readonly FaultRow[]>> = {
  'Broker, as seckill and every publisher meet it': [
    { fault: 'publishers are blocked (memory, disk)', holds: 'nothing is admitted, Redis is not touched; goes on when that is over', tests: [...messaging('publisher', 'says BLOCKED at once while the broker is blocked'), ...reservations('while the broker blocks publishers Redis is not touched either')] },
    { fault: 'no link', holds: 'nothing is admitted, Redis is not touched', tests: [...messaging('publisher', 'then NOT_CONNECTED, and comes back'), ...reservations('without a broker Redis is not touched')] },
    { fault: 'link lost before the confirm', holds: 'outcome unknown, nothing undone; the same key gets its answer', tests: [...reservations('because the link breaks: the same'), ...at('test/e2e/faults.e2e-spec.ts', 'a broker connection cut under load loses nobody')] },
    { fault: 'confirm does not come', holds: 'outcome unknown, nothing undone; no 202, first or second time', tests: [...messaging('publisher', 'says TIMEOUT when no confirm comes'), ...reservations('the outcome is unknown, nothing is undone, and the same key finds out'), ...at('test/e2e/faults.e2e-spec.ts', 'sends no 202 before the broker confirms')] },
    { fault: 'nack', holds: 'is an error of that publish alone', tests: messaging('publisher', 'says NACKED when the broker refuses', 'settles each publish by itself') },
    { fault: 'return: no queue is bound', holds: 'not taken for published; the binding is made again', tests: messaging('publisher', 'says UNROUTABLE when nobody is bound') },
    { fault: 'channel closed', holds: 'what is under way has failed, another channel is opened', tests: messaging('publisher', 'says CLOSED when its channel is closed, and opens another') },
    { fault: 'broker lost its topology', holds: 'it is declared again', tests: messaging('publisher', 'brings the topology back after the broker lost it') },
    { fault: 'more messages than can be kept', holds: 'refused at once', tests: messaging('publisher', 'says OVERLOADED rather than hold more than its bound') },
  ],
  'Broker, as consumers meet it': [
    { fault: 'link lost', holds: 'subscribes again, once; what was not acknowledged comes again', tests: messaging('consume-recovery', 'after each of many cuts, and with one subscription', 'gets again what it could not acknowledge') },
    { fault: 'channel closed, as by a consumer time-out', holds: 'opened again, the other channels go on', tests: messaging('consume-recovery', 'an error of one channel leaves the others alone') },
    { fault: 'consumer cancelled: its queue was deleted', holds: 'declared and subscribed anew', tests: messaging('consume', 'declares and subscribes anew when its queue is deleted') },
    { fault: 'subscription that stays silent while messages wait', holds: 'replaced', tests: messaging('consume-recovery', 'the watchdog replaces a subscription that stays silent') },
    { fault: 'broker not there at the start', holds: 'waited for', tests: messaging('consume-recovery', 'a service may start before its broker') },
    { fault: 'link of a request lost', holds: 'what is open ends as unknown, then refusals, then it heals', tests: messaging('request', 'a broken link ends what is open, then refuses, then heals') },
    { fault: 'queue of events lost', holds: 'a new one, and the newest state is read', tests: messaging('hints', 'after a cut the instance listens again, with a new queue') },
  ],
  'Order consumer': [
    { fault: 'database away', holds: 'paused, no attempt burned, resumes by itself', tests: [...messaging('consume', 'an absent server pauses the consumer and burns no attempt'), ...orderFaults('without its database takes no more messages, burns no attempt')] },
    { fault: 'answer to COMMIT lost', holds: 'unknown; the message comes again and finds its row', tests: [...database('a COMMIT whose answer never comes is unknown'), ...orderFaults('whose answer to COMMIT is lost finds the order made')] },
    { fault: 'session ended by the server', holds: 'nothing was done; done by the next delivery', tests: [...database('a server that ends the session is an outage'), ...orderFaults('whose session the server ends before the COMMIT has made nothing')] },
    { fault: 'deadlock, serialization failure', holds: 'tried again in the process, up to five times', tests: database('a deadlock is tried again', 'a serialization failure is tried again') },
    { fault: 'same message again', holds: 'one effect', tests: [...at('apps/order/src/place-order/place-order.consumer.int-spec.ts', 'bears the same message five times'), ...at('libs/platform/src/outbox/outbox.int-spec.ts', 'the inbox knows a message the second time')] },
    { fault: 'message faster than its sale', holds: 'waits in the tiers', tests: at('apps/order/src/place-order/place-order.consumer.int-spec.ts', 'waits for the sale, should its reservations be faster') },
    { fault: 'a message that always fails', holds: 'a dead letter after its attempts, and its neighbours are done', tests: [...messaging('consume', 'a poisonous message of a batch delays nobody else'), ...at('apps/order/src/place-order/place-order.consumer.int-spec.ts', 'makes orders of the neighbours of one that cannot be processed'), ...at('test/e2e/dead-letter.e2e-spec.ts', 'replay finishes the order once its cause is gone')] },
    { fault: 'unreadable, or of an unknown version', holds: 'a dead letter at once', tests: messaging('consume', 'a permanent error is a dead letter at once') },
    { fault: 'killed anywhere', holds: 'nobody loses anything', tests: at('test/e2e/kills.e2e-spec.ts', 'first-week ends clean although') },
    { fault: 'two instances on one database', holds: 'one judge per lane, one end per order', tests: [...at('apps/order/src/place-order/arbiter.int-spec.ts', 'is one judge per lane'), ...at('apps/order/src/place-order/two-orchestrators.int-spec.ts', 'bring every order to the one end')] },
  ],
  'Relay, reaper, outbox': [
    { fault: 'whoever reserved is gone before the publish', holds: 'the relay publishes, or the retry itself', tests: reservations('is published by the relay, once it is clear that its maker will not', 'a retry publishes it itself before it answers') },
    { fault: 'message lost although confirmed', holds: 'the reaper publishes after a minute, and never releases', tests: reservations('is published by the reaper after a minute, and stays held') },
    { fault: 'Redis loaded anew between reservation and confirm', holds: 'outcome unknown', tests: reservations('a load between the reservation and its confirm makes the outcome unknown') },
    { fault: 'broker away while rows wait in the outbox', holds: 'they wait; rows that commit late are not passed over', tests: at('libs/platform/src/outbox/outbox.int-spec.ts', 'waits while the broker is away', 'a row that commits after a later one is not passed over') },
  ],
  Stopping: [
    { fault: 'SIGTERM', holds: 'not ready, no new connections, what is under way is finished, in that order', tests: at('libs/platform/src/shutdown/run-service.int-spec.ts', 'stops in the order that loses nothing') },
    { fault: 'SIGTERM under load, one service after the other', holds: 'no 202 is lost, no connection in use is reset', tests: at('test/e2e/rolling-restart.e2e-spec.ts', 'loses no 202 and resets no connection') },
    { fault: 'SIGTERM with messages at hand', holds: 'they are finished, the half-collected batch too', tests: [...messaging('consume-recovery', 'on close finishes what it was given'), ...messaging('request', 'on close the answerer answers what it has')] },
  ],
};

/** Rows that cannot be caused here, and why. */
export const notCaused: Readonly<Record<string, string>> = {
  'the broker’s consumer time-out itself': 'it is a setting of the whole broker (30 minutes by default) that the shared broker of the tests cannot shorten for one queue; what a consumer sees of it is a closed channel, and that is caused',
  'a quorum of brokers lost': 'takes several brokers; a single one that is away looks the same to its clients',
};
