import { Module, StandardSchemaValidationPipe, type DynamicModule } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { Book } from './book/book.js';
import { NoticeStore } from './book/notice.store.js';
import { PaymentStore } from './book/payment.store.js';
import { CallbackRelay } from './callback/callback.relay.js';
import { CheckoutUrls } from './checkout/checkout-urls.js';
import { CheckoutController } from './checkout/checkout.controller.js';
import type { Config } from './config.js';
import { ConnectionTrouble } from './misbehaviour/connection.trouble.js';
import { MisbehaviourController } from './misbehaviour/misbehaviour.controller.js';
import { Misbehaviour } from './misbehaviour/misbehaviour.js';
import { ApiKey } from './provider-api/api-key.guard.js';
import { PaymentController } from './provider-api/payment.controller.js';
import { ReadinessController } from './readiness.controller.js';
import { PaymentActions } from './settlement/payment.actions.js';
import { SettlementTimer } from './settlement/settlement.timer.js';

@Module({})
export class AppModule {
  static forRoot(config: Pick<Config, 'HOST' | 'PORT' | 'BOOK_FILE' | 'SANDBOX_API_KEY' | 'SANDBOX_WEBHOOK_SECRET' | 'PUBLIC_URL' | 'SANDBOX_MISBEHAVIOUR'>): DynamicModule {
    return {
      module: AppModule,
      controllers: [PaymentController, CheckoutController, MisbehaviourController, ReadinessController],
      providers: [
        { provide: APP_PIPE, useFactory: () => new StandardSchemaValidationPipe() },
        { provide: Book, useFactory: () => new Book(config.BOOK_FILE) },
        { provide: ApiKey, useFactory: () => new ApiKey(config.SANDBOX_API_KEY) },
        { provide: CheckoutUrls, useFactory: () => new CheckoutUrls(config.PUBLIC_URL ?? `http://${config.HOST}:${config.PORT}`) },
        {
          provide: CallbackRelay,
          useFactory: (book: Book, notices: NoticeStore, misbehaviour: Misbehaviour) => new CallbackRelay(book, notices, misbehaviour, config.SANDBOX_WEBHOOK_SECRET),
          inject: [Book, NoticeStore, Misbehaviour],
        },
        { provide: Misbehaviour, useFactory: () => new Misbehaviour(config.SANDBOX_MISBEHAVIOUR) },
        ConnectionTrouble,
        PaymentStore,
        NoticeStore,
        SettlementTimer,
        PaymentActions,
      ],
    };
  }
}
