import { Global, Module } from '@nestjs/common';
import { Inbox } from './inbox.js';
import { OutboxRelay } from './outbox.relay.js';
import { Outbox } from './outbox.js';

/** Global. Outbox with its relay, and Inbox; needs PostgresModule, PlatformMessagingModule, and both tables in the schema. */
@Global()
@Module({ providers: [Outbox, OutboxRelay, Inbox], exports: [Outbox, OutboxRelay, Inbox] })
export class OutboxModule {}
