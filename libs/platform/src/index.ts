export { Batcher, type BatcherOptions } from './batching/batcher.js';
export * from './config/load-config.js';
export { armFileOf, crashLogOf, crashPoint, crashPoints, type CrashPoint, type CrashPointRow } from './crash-points.js';
export { secret, secretPair } from './config/secrets.js';
export * from './errors.js';
export { AmqpServer, AmqpServerParts } from './messaging/amqp.server.js';
export { Broker, type MessagingOptions } from './messaging/broker.js';
export { ConsumerProbes, type Probe } from './messaging/consumer.probes.js';
export { readReplay, type DeadLetter, type DeadReason } from './messaging/dead.letters.js';
export {
  Answers, Consume, ConsumeBoard, ConsumeDeadLetters, ConsumeInstance,
  type BatchOptions, type ConsumeOptions, type DeliveryOf, type InstanceDeliveryOf, type Verdict,
} from './messaging/handler.decorators.js';
export type { Delivery } from './messaging/message.codec.js';
export { PlatformMessagingModule } from './messaging/messaging.module.js';
export { Publisher, type PublishOptions } from './messaging/publisher.js';
export { QueueInspector, type QueueDepth } from './messaging/queue.inspector.js';
export { RequestClient } from './messaging/request.client.js';
export { BrokerNames } from './messaging/topology.declaration.js';
export { OutboundClient, OutboundFailedError, OutboundRefusedError, type OutboundAnswer, type OutboundOptions, type OutboundRequest } from './outbound/outbound.client.js';
export { Inbox } from './outbox/inbox.js';
export { OutboxModule } from './outbox/outbox.module.js';
export { OutboxRelay } from './outbox/outbox.relay.js';
export { inboxTableSql, outboxOriginSql, outboxTableSql } from './outbox/outbox.sql.js';
export { Outbox } from './outbox/outbox.js';
export { Database, Transaction, type DatabaseOptions, type Statement, type TransactionOptions } from './postgres/database.js';
export { isMigration, migrateOnly, migrationConfigSchema } from './postgres/migrate-only.js';
export { migrate, type MigrationOptions } from './postgres/migrations.js';
export { isRetryable, sqlState } from './postgres/postgres.errors.js';
export { PostgresModule, type PostgresOptions } from './postgres/postgres.module.js';
export { createRedis } from './redis/redis.client.js';
export { Readiness, type Check } from './shutdown/readiness.js';
export { runService, bootService, type BootedService, type ServiceOptions } from './shutdown/run-service.js';
export { ServiceModule } from './shutdown/service.module.js';
export { Shutdown } from './shutdown/shutdown.js';
export { createLogger, hashForLog, setLogLevel, type Logger } from './telemetry/logger.js';
export { gaugeFrom, metrics, type GaugeSource } from './telemetry/metrics.js';
export { aside, currentWork, partOf, requestIdPattern, together, wholeOf, workFor, type Work } from './telemetry/work.js';
export { isoTime } from './time.js';
