/** What a buyer of a peer asks for. Nobody proves who they are: it makes the peers cheaper than they would be. */
export interface GrabRequest {
  userId: string;
  requestId: string;
  itemId: string;
}

export interface GrabAnswer {
  word: 'reserved' | 'sold-out' | 'limit-reached';
}

/** A message to the peer's order service. */
export interface OrderCreate extends GrabRequest {
  createdAt: string;
}

/** Where a peer finds its servers; the bench sets it. */
export const settings = {
  port: Number(process.env['PORT'] ?? 0),
  amqpUrl: process.env['AMQP_URL'] ?? '',
  redisUrl: process.env['REDIS_URL'] ?? '',
  databaseUrl: process.env['DATABASE_URL'] ?? '',
  /** In front of its queues, keys and table, so that two peers can share the servers. */
  name: process.env['PEER'] ?? 'peer',
};

/** As many as any round lets one buyer have. */
export const perUserMax = 1_000_000;
