import 'reflect-metadata';
import { runService } from '@floodgate/platform';
import { gatewayModule } from './app.module.js';
import { readConfig } from './config.js';
import { configureServer, serverOptions } from './server.js';

const config = readConfig();

await runService(gatewayModule(config), {
  name: 'gateway',
  internalPort: config.INTERNAL_PORT,
  internalHost: config.INTERNAL_HOST,
  host: config.HOST,
  logLevel: config.LOG_LEVEL,
  messaging: { url: config.AMQP_URL, namespace: config.NAMESPACE, retryDelaysMs: config.RETRY_DELAYS_MS },
  http: { port: config.PORT, adapter: serverOptions as object, configure: configureServer },
});
