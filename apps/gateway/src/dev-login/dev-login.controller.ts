import { Controller, Inject } from '@nestjs/common';
import type { Actor } from '@floodgate/contracts';
import { isoTime } from '@floodgate/platform';
import { issueJwt } from '../admission/jwt.js';
import { GATEWAY_CONFIG, tokenRules, type GatewayConfig } from '../config.js';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';

/** A working day: long enough for any development session. */
const tokenLifeMs = 12 * 3_600_000;

/** A token for any account and roles. Only registered where DEV_LOGIN is on: elsewhere the path does not exist. */
@Controller()
export class DevLoginController {
  constructor(@Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig) {}

  @Operation('loginDeveloper')
  loginDeveloper({ body }: Call<Actor>): Answer {
    const nowMs = Date.now();
    const expiresMs = Math.floor((nowMs + tokenLifeMs) / 1_000) * 1_000;
    const [secret = ''] = this.config.JWT_SECRET;
    return { ok: true, value: { token: issueJwt(secret, body, nowMs, expiresMs, tokenRules(this.config)), expiresAt: isoTime(expiresMs) } };
  }
}
