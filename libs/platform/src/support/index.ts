export * from './app.process.js';
export * from './broker.frames.js';
export * from './callback.receiver.js';
export * from './eventually.js';
export * from './messaging.harness.js';
export * from './passages.js';
export * from './service.harness.js';
export * from './tcp.proxy.js';
