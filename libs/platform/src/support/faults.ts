/** What whoever causes faults from outside needs, without what only tests inside a process do. */
export * from './passages.js';
export * from './tcp.proxy.js';
