import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable, UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** What the shop shows. */
export class ApiKey {
  constructor(readonly value: string) {}
}

/** Lets only the shop in: `Authorization: Bearer <SANDBOX_API_KEY>`. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  private readonly expected: Buffer;

  constructor(apiKey: ApiKey) {
    this.expected = digest(`Bearer ${apiKey.value}`);
  }

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: { authorization?: string } }>();
    // Digests have one length whatever was sent, so the comparison tells nothing by its time and cannot throw.
    if (!timingSafeEqual(digest(headers.authorization ?? ''), this.expected)) throw new UnauthorizedException('wrong or missing API key');
    return true;
  }
}
