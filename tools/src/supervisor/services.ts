import path from 'node:path';

import type { InfraUrls } from '../infra/private-infra.js';
import type { Secrets } from '../infra/secrets.js';

/** The names of the platform's processes, in the order they are started and listed in run.json. */
export const serviceNames = ['promotion', 'order', 'seckill', 'notification', 'gateway'] as const;
export type ServiceName = (typeof serviceNames)[number];
export const sandboxName = 'sandbox-payment';
export type AppName = ServiceName | typeof sandboxName;

/**
 * Who stops first: whoever accepts work, then those that finish it. Nothing accepted is left behind half-way, though a
 * SIGKILL in any other order must lose nothing either.
 */
export const stopOrder: readonly AppName[] = ['gateway', sandboxName, 'seckill', 'order', 'promotion', 'notification'];

/** Where a platform's processes listen on 127.0.0.1; fixed for its life, so that a restarted one is found again. */
export interface PlatformPorts {
  readonly gateway: number;
  readonly sandbox: number;
  readonly internal: Readonly<Record<AppName, number>>;
}

export interface ServiceContext {
  readonly urls: InfraUrls;
  readonly ports: PlatformPorts;
  readonly secrets: Secrets;
  readonly namespace: string;
  readonly stateDir: string;
  readonly mode: 'development' | 'test';
  readonly logLevel: string;
}

/** The whole environment of an app: what its config.ts reads, and nothing else. */
export function serviceEnvironment(app: AppName, context: ServiceContext): Record<string, string> {
  const { mode, logLevel, namespace, ports } = context;
  return {
    NODE_ENV: mode,
    LOG_LEVEL: logLevel,
    NAMESPACE: namespace,
    HOST: '127.0.0.1',
    INTERNAL_PORT: String(ports.internal[app]),
    ...ownEnvironment(app, context),
  };
}

/** The address of the gateway, and of the sandbox provider. */
export function localUrl(port: number): string {
  return `http://127.0.0.1:${port}`;
}

function ownEnvironment(app: AppName, { urls, ports, secrets, stateDir }: ServiceContext): Record<string, string> {
  const AMQP_URL = urls.rabbitmq;
  const DATABASE_URL = urls.postgres;
  switch (app) {
    case 'gateway':
      return {
        AMQP_URL, PORT: String(ports.gateway), JWT_SECRET: secrets.jwt, ENTRY_TOKEN_SECRET: secrets.entryToken, RECEIPT_SECRET: secrets.receipt,
        DEV_LOGIN: 'true', TRUSTED_PROXIES: '127.0.0.0/8,::1',
      };
    case 'promotion':
      return { AMQP_URL, DATABASE_URL };
    case 'notification':
      return { AMQP_URL, DATABASE_URL, ALERTS_SECRET: secrets.alerts, SALE_LINK: `${localUrl(ports.gateway)}/v1/admin/sales/{saleId}/report` };
    case 'seckill':
      return { AMQP_URL, REDIS_URL: urls.redis };
    case 'order':
      return {
        AMQP_URL, DATABASE_URL, SANDBOX_URL: localUrl(ports.sandbox), SANDBOX_API_KEY: secrets.sandboxApiKey, SANDBOX_WEBHOOK_SECRET: secrets.sandboxWebhook,
        CALLBACK_URL: `${localUrl(ports.gateway)}/v1/payments/callbacks/sandbox`,
        CODE_KEYS: `k1:${secrets.code}`, CODE_FINGERPRINT_KEY: secrets.codeFingerprint,
      };
    case sandboxName:
      return {
        PORT: String(ports.sandbox), BOOK_FILE: path.join(stateDir, 'sandbox', 'book.sqlite'),
        SANDBOX_API_KEY: secrets.sandboxApiKey, SANDBOX_WEBHOOK_SECRET: secrets.sandboxWebhook,
      };
  }
}
