import { Global, Module, type Type } from '@nestjs/common';
import { RequestClient, ServiceModule } from '@floodgate/platform';
import { gatewayModule } from '../app.module.js';
import type { GatewayConfig } from '../config.js';
import type { StandInClient } from './stand-in.client.js';

/** The gateway with a stand-in where the broker would be. */
export function standInModule(client: StandInClient, config: GatewayConfig): Type {
  @Global()
  @Module({ providers: [{ provide: RequestClient, useValue: client }], exports: [RequestClient] })
  class StandInModule {}

  @Module({ imports: [ServiceModule, StandInModule, gatewayModule(config)] })
  class TestModule {}
  return TestModule;
}
