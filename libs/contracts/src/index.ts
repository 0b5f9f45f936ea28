export * from './errors.js';
export * from './ids.js';
export * from './messages.js';
export * from './requests.js';
export * from './sale-state.js';
export * from './switches.js';
export * from './topology.js';
export * as View from './views.js';
export type * from './views.js';
