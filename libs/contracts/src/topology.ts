import type { MessageName } from './messages.js';

/** One durable quorum queue that carries promises. */
export interface Queue {
  /** Routing keys; a routing key is always a message name. */
  binds: readonly MessageName[];
  /** Messages a consumer holds unacknowledged. */
  prefetch: number;
  /** Deliveries of a message, the first included, before it becomes a dead letter. */
  attempts: number;
}

/**
 * One row per queue, named `<consumer>.<what it does>`.
 * Retry tiers (a queue per delay) and the dead-letter queue are derived from it, never written by hand.
 */
export const queues = {
  'order.copy-sale': { binds: ['sale.approved', 'sale.changed'], prefetch: 8, attempts: 20 },
  'seckill.load-lanes': { binds: ['load-lanes'], prefetch: 1, attempts: 20 },
  'seckill.change-sale': { binds: ['sale.changed'], prefetch: 8, attempts: 20 },
  'order.note-loaded': { binds: ['lane.loaded'], prefetch: 8, attempts: 20 },
  'promotion.note-armed': { binds: ['sale.armed', 'sale.arm-failed'], prefetch: 8, attempts: 20 },
  'promotion.note-act': { binds: ['admin.acted'], prefetch: 32, attempts: 20 },
  'order.rebuild-lanes': { binds: ['rebuild-lanes'], prefetch: 1, attempts: 20 },
  'order.place-order': { binds: ['place-order'], prefetch: 64, attempts: 8 },
  'order.book-take-back': { binds: ['book-take-back'], prefetch: 8, attempts: 20 },
  'seckill.sync-stock': { binds: ['sync-stock'], prefetch: 64, attempts: 20 },
  'promotion.note-stock': { binds: ['stock.changed'], prefetch: 8, attempts: 20 },
  'notification.note-sale': { binds: ['sale.approved', 'sale.changed'], prefetch: 8, attempts: 20 },
  'notification.tell-buyer': { binds: ['order.created', 'order.paid', 'order.fulfilled', 'order.replaced', 'payment.returned', 'order.closed'], prefetch: 50, attempts: 10 },
} as const satisfies Record<string, Queue>;
export type QueueName = keyof typeof queues;

/** One row per kind of queue that every instance has for itself: exclusive, gone with its connection, a hint and never a promise. */
export const instanceQueues = {
  'gateway.events': { binds: ['sale.approved', 'sale.changed', 'stock.changed', 'block-list.changed', 'switches.changed', 'order.created', 'order.paid', 'order.fulfilled', 'order.closed'], prefetch: 500 },
} as const satisfies Record<string, { binds: readonly MessageName[]; prefetch: number }>;
export type InstanceQueueName = keyof typeof instanceQueues;

/** Who answers requests, one transient auto-delete queue each: without a consumer there is no queue, and the asker knows at once. */
export const requestQueues = ['promotion.requests', 'order.requests', 'seckill.requests', 'seckill.reserve', 'notification.requests'] as const;
export type RequestQueueName = (typeof requestQueues)[number];

/** Delays of the retry tiers, milliseconds; attempt n waits in tier min(n, last). */
export const retryDelaysMs = [1_000, 10_000, 60_000, 600_000] as const;

/** Exchanges, before the namespace is put in front. */
export const exchanges = {
  /**
   * Topic; every message, routed by its name. What nobody is bound for comes back to its publisher (`mandatory`). No alternate
   * exchange: it would count as a route, and an unroutable message would be confirmed.
   */
  messages: 'messages',
  /** Fanout, transient: the board. */
  board: 'board',
} as const;

export const retryQueue = (queue: string, delayMs: number): string => `${queue}.retry-${delayMs}`;
export const deadLetterQueue = (queue: string): string => `${queue}.dead`;
