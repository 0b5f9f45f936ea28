import { Controller } from '@nestjs/common';
import { pageQuery } from '../openapi/page-query.js';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';
import { Services } from '../problem/services.js';

@Controller()
export class AuditLogController {
  constructor(private readonly services: Services) {}

  /** Who did what, before and after; refused attempts too. Newest first. */
  @Operation('listAuditLog')
  listAuditLog({ query }: Call): Promise<Answer> {
    return this.services.ask('list-audit-log', pageQuery(query));
  }
}
