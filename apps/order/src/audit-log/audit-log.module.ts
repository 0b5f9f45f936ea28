import { Module } from '@nestjs/common';
import { AdminActs } from './admin-acts.js';

@Module({ providers: [AdminActs], exports: [AdminActs] })
export class AuditLogModule {}
