import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { mends } from '@floodgate/contracts';
import { driftKinds } from '../../apps/order/src/reconcile/compare.js';

const page = readFileSync(new URL('../../docs/reconcile.md', import.meta.url), 'utf8');
const document = readFileSync(new URL('../../apps/gateway/src/openapi/openapi.yaml', import.meta.url), 'utf8');

it('docs/reconcile.md says of every kind of difference what it is, and of every mend when and by whom', () => {
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
  expect(rows).toEqual(expect.arrayContaining([...driftKinds, ...Object.keys(mends)]));
  expect(rows).toHaveLength(driftKinds.length + Object.keys(mends).length);
});

it('the gateway document knows the same words', () => {
  expect(document).toContain(`kind: { type: string, enum: [ ${driftKinds.join(', ')} ] }`);
  expect(document).toContain(`mend: { type: string, enum: [ ${Object.keys(mends).join(', ')} ] }`);
});
