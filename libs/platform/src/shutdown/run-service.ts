import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Server } from 'node:net';
import type { LevelWithSilent } from 'pino';
import { readCrashConfig } from '../config/crash-config.js';
import { armCrashPoints } from '../crash-points.js';
import { errorText } from '../errors.js';
import { AmqpServer, AmqpServerParts } from '../messaging/amqp.server.js';
import type { MessagingOptions } from '../messaging/broker.js';
import { PlatformMessagingModule } from '../messaging/messaging.module.js';
import { NestLogger, createLogger, setLogLevel } from '../telemetry/logger.js';
import { startDefaultMetrics } from '../telemetry/metrics.js';
import { startTracing } from '../telemetry/tracing.js';
import { InternalServer } from './internal.server.js';
import { InternalRoutes } from './internal.routes.js';
import { Readiness } from './readiness.js';
import { ServiceModule } from './service.module.js';
import { Shutdown } from './shutdown.js';

export interface ServiceOptions {
  name: string;
  /** Of the listener with /livez, /readyz, /metrics; 0 = any. */
  internalPort: number;
  /** Of that listener; loopback where nothing is said. */
  internalHost?: string;
  host: string;
  logLevel?: LevelWithSilent;
  /** Imports PlatformMessagingModule and connects the AmqpServer. */
  messaging?: Omit<MessagingOptions, 'service'> & { service?: string };
  http?: {
    port: number;
    /** Options of the Fastify adapter, such as trustProxy and bodyLimit. */
    adapter?: ConstructorParameters<typeof FastifyAdapter>[0];
    /** Keeps `request.rawBody`, for signatures over bytes. */
    rawBody?: boolean;
    /** Called before the application is initialised. */
    configure?: (app: NestFastifyApplication) => void | Promise<void>;
  };
}

export interface BootedService {
  app: NestFastifyApplication;
  internalPort: number;
  /** Drains and closes everything. */
  stop: () => Promise<void>;
}

// A supervisor kills after ten seconds.
const STOP_MS = 9_500;
const HTTP_DRAIN_MS = 3_000;
// Turns of the event loop; while more come than can be let in, the door must close all the same.
const LET_IN_TURNS = 200;
// A connection that says nothing for so long is let go of. Sooner, and a request that is on its way meets a reset.
const HTTP_SILENT_MS = 500;

/**
 * Runs a service until SIGTERM or SIGINT, then drains it in the order that loses nothing and exits 0 within ten seconds.
 * @param AppModule the app's root module
 */
export async function runService(AppModule: Type | DynamicModule, options: ServiceOptions): Promise<NestFastifyApplication> {
  armCrashPoints(options.name, readCrashConfig());
  let service: BootedService | undefined;
  let stopTracing = (): Promise<void> => Promise.resolve();
  // From the first moment on: a start may wait for a server for long.
  stopOnSignal(options.name, async () => {
    await service?.stop();
    await stopTracing();
  });
  stopTracing = await startTracing(options.name);
  service = await bootService(AppModule, options);
  return service.app;
}

/** As {@link runService}, without the signals. */
export async function bootService(AppModule: Type | DynamicModule, options: ServiceOptions): Promise<BootedService> {
  if (options.logLevel) setLogLevel(options.logLevel);
  startDefaultMetrics(options.name);
  const internal = new InternalServer();
  const internalPort = await internal.listen(options.internalPort, options.internalHost ?? '127.0.0.1');
  try {
    const adapter = new FastifyAdapter({ forceCloseConnections: 'idle', ...(options.http?.adapter as object) });
    const app = await NestFactory.create<NestFastifyApplication>(rootModule(AppModule, options), adapter, {
      logger: new NestLogger(options.name),
      rawBody: options.http?.rawBody ?? false,
      abortOnError: false,
    });
    const door = { closed: false };
    app.getHttpAdapter().getInstance().addHook('onSend', async (_request, reply, payload) => {
      if (door.closed) reply.header('connection', 'close');
      return payload;
    });
    await options.http?.configure?.(app);
    const server = options.messaging ? new AmqpServer(app.get(AmqpServerParts, { strict: false })) : undefined;
    if (server) app.connectMicroservice({ strategy: server });
    await app.init();
    await app.startAllMicroservices();
    if (options.http) await app.listen(options.http.port, options.host);
    internal.started(app.get(Readiness, { strict: false }), app.get(InternalRoutes, { strict: false }));
    return { app, internalPort, stop: () => stop(app, server, internal, options.http ? door : null) };
  } catch (error) {
    await internal.close();
    throw error;
  }
}

function rootModule(AppModule: Type | DynamicModule, { messaging, name }: ServiceOptions): Type {
  @Module({ imports: [ServiceModule, ...(messaging ? [PlatformMessagingModule.forRoot({ service: name, ...messaging })] : []), AppModule] })
  class RootModule {}
  return RootModule;
}

/** Not ready → no new HTTP requests → no new messages, those at hand finished → timers and relays finished → connections closed. */
async function stop(app: NestFastifyApplication, server: AmqpServer | undefined, internal: InternalServer, door: Door | null): Promise<void> {
  const shutdown = app.get(Shutdown, { strict: false });
  app.get(Readiness, { strict: false }).stop();
  await shutdown.run('intake');
  if (door) await stopHttp(app, door);
  await server?.close();
  await shutdown.run('drain');
  await app.close();
  await internal.close();
}

/** Whether new connections are refused; from then on every answer ends its connection. */
interface Door {
  closed: boolean;
}

/** Whoever still waits to be let in when a listener closes is reset by the kernel. So it closes after a turn of the event loop in which nobody came. */
async function letIn(http: Server): Promise<void> {
  let came = 1;
  const count = (): void => void came++;
  http.on('connection', count);
  for (let turn = 0; came > 0 && turn < LET_IN_TURNS; turn++) {
    came = 0;
    // From one immediate to the next the loop looks at its sockets once, whatever it was doing when we were called.
    await new Promise((resolve) => { setImmediate(() => setImmediate(resolve)); });
  }
  http.off('connection', count);
}

/**
 * Closes the door, lets requests finish for a while, then cuts what is left (abandoned streams). Who keeps a connection
 * is told with his next answer that it ends, and who stays silent is let go of. So it is not Node's own `close` of an HTTP server,
 * which ends connections at once that look idle although a request may be on its way.
 */
async function stopHttp(app: NestFastifyApplication, door: Door): Promise<void> {
  const http = app.getHttpServer();
  if (!http.listening) return;
  await letIn(http);
  const closed = new Promise<void>((resolve) => { Server.prototype.close.call(http, () => resolve()); });
  door.closed = true;
  const letGo = setTimeout(() => http.closeIdleConnections(), HTTP_SILENT_MS);
  const cut = setTimeout(() => http.closeAllConnections(), HTTP_DRAIN_MS);
  await closed;
  clearTimeout(letGo);
  clearTimeout(cut);
}

function stopOnSignal(name: string, run: () => Promise<void>): void {
  const logger = createLogger(name);
  let stopping = false;
  const onSignal = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    logger.info(`${signal}: stopping`);
    setTimeout(() => {
      logger.error('not stopped in time');
      process.exit(1);
    }, STOP_MS).unref();
    run().then(() => process.exit(0), (error: unknown) => {
      logger.error(errorText(error));
      process.exit(1);
    });
  };
  process.on('SIGTERM', () => onSignal('SIGTERM'));
  process.on('SIGINT', () => onSignal('SIGINT'));
}
