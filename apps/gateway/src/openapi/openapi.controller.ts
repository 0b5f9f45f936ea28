import { Controller, Get, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { docsPage } from './docs-page.js';
import { servedDocument } from './served-document.js';
import { ServedRoutes } from './served-routes.js';

/** The contract as served, for programs and for people. Both are made once, after every route is known. */
@Controller()
export class OpenApiController {
  private json: string | undefined;
  private html: string | undefined;

  constructor(private readonly routes: ServedRoutes) {}

  @Get('openapi.json')
  @RouteConfig({ outside: '/openapi.json' })
  document(@Res() reply: FastifyReply): void {
    this.json ??= JSON.stringify(servedDocument(this.routes.operationIds));
    reply.header('content-type', 'application/json; charset=utf-8').send(this.json);
  }

  @Get('docs')
  @RouteConfig({ outside: '/docs' })
  docs(@Res() reply: FastifyReply): void {
    this.html ??= docsPage(servedDocument(this.routes.operationIds));
    reply
      .header('content-type', 'text/html; charset=utf-8')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
      .send(this.html);
  }
}
