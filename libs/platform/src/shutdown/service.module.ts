import { Global, Module } from '@nestjs/common';
import { Readiness } from './readiness.js';
import { Shutdown } from './shutdown.js';

/** Global. What every service has: Readiness and Shutdown. */
@Global()
@Module({ providers: [Readiness, Shutdown], exports: [Readiness, Shutdown] })
export class ServiceModule {}
