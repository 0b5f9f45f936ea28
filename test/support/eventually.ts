export { eventually } from '../../tools/src/support/eventually.js';
