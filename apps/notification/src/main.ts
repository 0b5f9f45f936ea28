import { isMigration, migrateOnly, runService } from '@floodgate/platform';
import { AppModule, postgres } from './app.module.js';
import { readConfig } from './config.js';

if (isMigration()) await migrateOnly(postgres);
const config = readConfig();
await runService(AppModule.with(config), {
  name: 'notification',
  internalPort: config.INTERNAL_PORT,
  internalHost: config.INTERNAL_HOST,
  host: config.HOST,
  logLevel: config.LOG_LEVEL,
  messaging: { url: config.AMQP_URL, namespace: config.NAMESPACE, retryDelaysMs: config.RETRY_DELAYS_MS },
});
