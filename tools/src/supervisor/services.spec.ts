import { describe, expect, it } from '@jest/globals';

import { serviceEnvironment, serviceNames, stopOrder, type ServiceContext } from './services.js';

const context: ServiceContext = {
  urls: { redis: 'redis://r', rabbitmq: 'amqp://q', postgres: 'postgres://p' },
  ports: { gateway: 8080, sandbox: 9000, internal: { gateway: 1, promotion: 2, seckill: 3, order: 4, notification: 5, 'sandbox-payment': 6 } },
  secrets: { redis: 'a', rabbitmq: 'b', postgres: 'c', jwt: 'jwt', entryToken: 'entry', receipt: 'receipt', sandboxApiKey: 'key', sandboxWebhook: 'hook', code: 'code-secret-of-tests', codeFingerprint: 'fingerprint-of-tests', alerts: 'alerts-secret-of-tests' },
  namespace: 'floodgate', stateDir: '/state', mode: 'test', logLevel: 'info',
};
const common = ['HOST', 'INTERNAL_PORT', 'LOG_LEVEL', 'NAMESPACE', 'NODE_ENV'];

describe('what each app is told', () => {
  it.each([
    ['gateway', ['AMQP_URL', 'DEV_LOGIN', 'ENTRY_TOKEN_SECRET', 'JWT_SECRET', 'PORT', 'RECEIPT_SECRET', 'TRUSTED_PROXIES']],
    ['promotion', ['AMQP_URL', 'DATABASE_URL']],
    ['seckill', ['AMQP_URL', 'REDIS_URL']],
    ['order', ['AMQP_URL', 'CALLBACK_URL', 'CODE_FINGERPRINT_KEY', 'CODE_KEYS', 'DATABASE_URL', 'SANDBOX_API_KEY', 'SANDBOX_URL', 'SANDBOX_WEBHOOK_SECRET']],
    ['notification', ['ALERTS_SECRET', 'AMQP_URL', 'DATABASE_URL', 'SALE_LINK']],
    ['sandbox-payment', ['BOOK_FILE', 'PORT', 'SANDBOX_API_KEY', 'SANDBOX_WEBHOOK_SECRET']],
  ] as const)('%s: its own variables and the common ones, nothing of its neighbours', (app, own) => {
    expect(Object.keys(serviceEnvironment(app, context)).toSorted()).toEqual([...common, ...own].toSorted());
  });

  it('sends the provider to the gateway', () => {
    expect(serviceEnvironment('order', context)['CALLBACK_URL']).toBe('http://127.0.0.1:8080/v1/payments/callbacks/sandbox');
  });
});

it('whoever is started is stopped, the gateway first', () => {
  expect(stopOrder.toSorted()).toEqual([...serviceNames, 'sandbox-payment'].toSorted());
  expect(stopOrder[0]).toBe('gateway');
});
