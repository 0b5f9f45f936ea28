import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@floodgate/platform';
import { configSchema, mailOptions } from './config.js';

const random = 'q7Hk2ZpX9vLw4NbT8sRd3YcMf6GjUa5E';
const servers = { AMQP_URL: `amqp://app:${random}@rabbitmq:5672`, DATABASE_URL: `postgresql://app:${random}@postgres:5432/app`, INTERNAL_PORT: '9464' };
const load = (env: Record<string, string>) => loadConfig(configSchema, { ...servers, ...env });

describe('the configuration', () => {
  it.each([[{ NODE_ENV: 'production' }], [{ INTERNAL_HOST: '0.0.0.0' }]])('%j needs a secret for alerts', (env) => {
    expect(() => load(env)).toThrow(/ALERTS_SECRET/);
    expect(load({ ...env, ALERTS_SECRET: random })).toMatchObject({ ALERTS_SECRET: [random] });
  });

  it('needs none on loopback', () => expect(load({}).ALERTS_SECRET).toBeUndefined());

  it('has mail whole or not at all', () => {
    expect(() => load({ SMTP_URL: 'smtp://mail.example' })).toThrow(/MAIL_FROM/);
    expect(() => load({ BUYER_MAIL: '{accountId}@relay.example' })).toThrow(/BUYER_MAIL/);
    expect(() => load({ SMTP_URL: 'http://mail.example', MAIL_FROM: 'a@shop.example' })).toThrow(/SMTP_URL/);
    expect(mailOptions(load({ SMTP_URL: 'smtp://mail.example', MAIL_FROM: 'a@shop.example' }))).toEqual({ smtpUrl: 'smtp://mail.example', from: 'a@shop.example', requireTls: false });
    expect(mailOptions(load({}))).toBeNull();
  });

  it('insists on TLS and a password where mail leaves a production', () => {
    const production = { NODE_ENV: 'production', ALERTS_SECRET: random, MAIL_FROM: 'a@shop.example' };
    expect(() => load({ ...production, SMTP_URL: 'smtp://mail.example' })).toThrow(/SMTP_URL: must carry a password/);
    expect(mailOptions(load({ ...production, SMTP_URL: `smtp://user:${random}@mail.example` }))).toMatchObject({ requireTls: true });
  });

  it.each(['buyers@relay.example', '{accountId}@', '{accountId}@relay.example, me@elsewhere.example', '{accountId}@relay.example\nBcc: x'])('no buyer has the mailbox %j', (template) => {
    expect(() => load({ SMTP_URL: 'smtp://mail.example', MAIL_FROM: 'a@shop.example', BUYER_MAIL: template })).toThrow(/BUYER_MAIL/);
  });

  it.each(['https://shop.example/report', 'javascript:{saleId}', '{saleId}'])('no link of a sale is %j', (link) => expect(() => load({ SALE_LINK: link })).toThrow(/SALE_LINK/));
});
