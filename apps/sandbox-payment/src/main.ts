import 'reflect-metadata';
import { runService } from '@floodgate/platform';
import { AppModule } from './app.module.js';
import { readConfig } from './config.js';

const config = readConfig();
await runService(AppModule.forRoot(config), {
  name: 'sandbox-payment',
  internalPort: config.INTERNAL_PORT,
  internalHost: config.INTERNAL_HOST,
  host: config.HOST,
  logLevel: config.LOG_LEVEL,
  http: { port: config.PORT },
});
