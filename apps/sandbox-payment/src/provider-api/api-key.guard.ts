import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable, UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** What the shop shows: two of them while it is changed. */
export class ApiKey {
  constructor(readonly values: readonly string[]) {}
}

/** Lets only the shop in: `Authorization: Bearer <SANDBOX_API_KEY>`. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  private readonly expected: readonly Buffer[];

  constructor(apiKey: ApiKey) {
    this.expected = apiKey.values.map((value) => digest(`Bearer ${value}`));
  }

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: { authorization?: string } }>();
    // Digests have one length whatever was sent, so the comparison tells nothing by its time and cannot throw.
    const given = digest(headers.authorization ?? '');
    if (!this.expected.some((expected) => timingSafeEqual(given, expected))) throw new UnauthorizedException('wrong or missing API key');
    return true;
  }
}
