import { Global, Module } from '@nestjs/common';
import { InternalRoutes } from './internal.routes.js';
import { Readiness } from './readiness.js';
import { Shutdown } from './shutdown.js';

/** Global. What every service has: Readiness, Shutdown, and a way into its internal listener. */
@Global()
@Module({ providers: [Readiness, Shutdown, InternalRoutes], exports: [Readiness, Shutdown, InternalRoutes] })
export class ServiceModule {}
