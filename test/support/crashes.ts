export * from '../../tools/src/chaos/crashes.js';
