import { Module, type Type } from '@nestjs/common';
import { Readiness, Shutdown } from '@floodgate/platform';
import { AudienceAdminController } from './admin/audience-admin.controller.js';
import { AuditLogController } from './admin/audit-log.controller.js';
import { BlockListController } from './admin/block-list.controller.js';
import { ChannelController } from './admin/channel.controller.js';
import { DeadLetterController } from './admin/dead-letter.controller.js';
import { RecordsController } from './admin/records.controller.js';
import { StockController } from './admin/stock.controller.js';
import { SaleAdminController } from './admin/sale-admin.controller.js';
import { SettlementController } from './admin/settlement.controller.js';
import { AdmissionHooks } from './admission/admission.hooks.js';
import { ChallengeController } from './admission/challenge.controller.js';
import { ChallengeDifficulty } from './admission/challenge-difficulty.js';
import { ChallengeDoor } from './admission/challenge-door.js';
import { Challenges } from './admission/challenge.js';
import { ClientAddresses } from './admission/client-address.js';
import { Eligibility } from './admission/eligibility.js';
import { EntryTokenController } from './admission/entry-token.controller.js';
import { EntryTokens } from './admission/entry-token.js';
import { Gates } from './admission/gates.js';
import { IdentityKeys } from './admission/identity-keys.js';
import { JwtVerifier } from './admission/jwt.js';
import { AudienceController } from './audience/audience.controller.js';
import { Audiences } from './audience/audiences.js';
import { RefusalReport } from './audit-log/refusal-report.js';
import { BlockListKeeper } from './block-list/block-list.keeper.js';
import { BlockList } from './block-list/block-list.js';
import { BoardConsumer } from './board/board.consumer.js';
import { BoardKeeper } from './board/board-keeper.js';
import { Board } from './board/board.js';
import { PlatformClock } from './board/platform-clock.js';
import { SaleCatalogue } from './board/sale-catalogue.js';
import { Sales } from './board/sales.js';
import { CodeImportController } from './codes/code-import.controller.js';
import { OrderCodesController } from './codes/order-codes.controller.js';
import { GATEWAY_CONFIG, tokenRules, type GatewayConfig } from './config.js';
import { DevLoginController } from './dev-login/dev-login.controller.js';
import { HealthController } from './health/health.controller.js';
import { AttemptLimits } from './limits/attempt-limits.js';
import { InFlight } from './limits/in-flight.js';
import { RequestLimits } from './limits/request-limits.js';
import { OpenApiController } from './openapi/openapi.controller.js';
import { ServedRoutes } from './openapi/served-routes.js';
import { OrderController } from './order/order.controller.js';
import { PaymentCallbackController } from './payment-callback/payment-callback.controller.js';
import { Services } from './problem/services.js';
import { EarlyRefusal } from './reservation/early-refusal.js';
import { Receipts } from './reservation/receipts.js';
import { ReservationController } from './reservation/reservation.controller.js';
import { ReservationFlow } from './reservation/reservation.flow.js';
import { SeckillClient } from './reservation/seckill.client.js';
import { SaleController } from './sale/sale.controller.js';
import { OrderNotices } from './status/order-notices.js';
import { ReservationReader } from './status/reservation-reader.js';
import { ReservationStreams } from './status/reservation-streams.js';
import { StatusController } from './status/status.controller.js';
import { SwitchController } from './switches/switch.controller.js';
import { Switches } from './switches/switches.js';

const controllers = [
  ReservationController, EntryTokenController, ChallengeController, SaleController, StatusController, OrderController, PaymentCallbackController,
  SaleAdminController, StockController, RecordsController, SettlementController, DeadLetterController, BlockListController, ChannelController, AuditLogController, CodeImportController, OrderCodesController, SwitchController, AudienceAdminController, AudienceController, HealthController, OpenApiController, BoardConsumer,
];

/** The gateway with this configuration. It owns no data: everything here is learned from the other services and forgotten at the end. */
export function gatewayModule(config: GatewayConfig): Type {
  @Module({
    controllers: config.DEV_LOGIN ? [...controllers, DevLoginController] : controllers,
    providers: [
      { provide: GATEWAY_CONFIG, useValue: config },
      { provide: IdentityKeys, useFactory: (readiness: Readiness, shutdown: Shutdown) => new IdentityKeys(config.JWKS_URL, readiness, shutdown), inject: [Readiness, Shutdown] },
      { provide: JwtVerifier, useFactory: ({ keySet }: IdentityKeys) => new JwtVerifier({ secrets: config.JWT_SECRET, keySet, rules: tokenRules(config) }), inject: [IdentityKeys] },
      { provide: EntryTokens, useFactory: () => new EntryTokens(config.ENTRY_TOKEN_SECRET) },
      { provide: Challenges, useFactory: () => new Challenges(config.ENTRY_TOKEN_SECRET) },
      { provide: Receipts, useFactory: () => new Receipts(config.RECEIPT_SECRET) },
      { provide: ClientAddresses, useFactory: () => new ClientAddresses(config.TRUSTED_PROXIES) },
      Services, Switches, PlatformClock, Board, SaleCatalogue, Sales, BoardKeeper,
      BlockList, BlockListKeeper, RefusalReport, Audiences, Eligibility, Gates,
      ChallengeDifficulty, ChallengeDoor, ServedRoutes, AdmissionHooks, RequestLimits, InFlight, AttemptLimits, EarlyRefusal, ReservationFlow, SeckillClient,
      OrderNotices, ReservationReader, ReservationStreams,
    ],
  })
  class GatewayModule {}
  return GatewayModule;
}
