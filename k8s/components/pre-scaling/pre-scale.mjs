// Keeps the autoscalers' lower bounds where the sale calendar wants them: a crowd that arrives within a second is faster than any autoscaler.
// Reads the public list of sales, and writes `minReplicas` of HorizontalPodAutoscalers; exit 0 done, 1 nobody knows (nothing was changed then).
import { readFileSync } from 'node:fs';

const account = process.env.ACCOUNT_DIR ?? '/var/run/secrets/kubernetes.io/serviceaccount';
const cluster = process.env.CLUSTER_URL ?? `https://${process.env.KUBERNETES_SERVICE_HOST}:${process.env.KUBERNETES_SERVICE_PORT}`;
const minutesBefore = Number(process.env.MINUTES_BEFORE ?? 30);
const sizes = process.env.SIZES.split(',').map((entry) => /^([a-z-]+)=(\d+):(\d+)$/.exec(entry.trim())?.slice(1) ?? fail(`SIZES: ${entry} is not name=quiet:sale`));
const waitMs = 10_000;

try {
  const sale = nextOrOpen(await sales(), Date.now());
  const namespace = readFileSync(`${account}/namespace`, 'utf8').trim();
  for (const [name, quiet, loud] of sizes) await setFloor(namespace, name, Number(sale ? loud : quiet));
  console.log(sale ? `sized for ${sale.id}, ${sale.opensAt} to ${sale.closesAt}` : 'no sale is near');
} catch (error) {
  fail(error.message);
}

/** The public sales, all pages. An answer that is no list is an error, never "no sales": that would shrink the platform in the middle of one. */
async function sales() {
  const all = [];
  for (let cursor = null; ;) {
    const query = cursor === null ? '' : `?cursor=${encodeURIComponent(cursor)}`;
    const page = await json(await fetch(`${process.env.GATEWAY_URL}/v1/sales${query}`, { signal: AbortSignal.timeout(waitMs) }));
    if (!Array.isArray(page.items)) throw new Error('the gateway did not answer with a list of sales');
    all.push(...page.items);
    cursor = page.nextCursor ?? null;
    if (cursor === null) return all;
  }
}

/** The sale that is open or opens soon, if there is one. */
function nextOrOpen(list, nowMs) {
  return list.find(({ state, opensAt, closesAt }) => state !== 'ENDED' && state !== 'WITHDRAWN' && Date.parse(opensAt) - minutesBefore * 60_000 <= nowMs && nowMs < Date.parse(closesAt));
}

async function setFloor(namespace, name, minReplicas) {
  await json(await fetch(`${cluster}/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers/${name}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${readFileSync(`${account}/token`, 'utf8').trim()}`, 'content-type': 'application/merge-patch+json' },
    body: JSON.stringify({ spec: { minReplicas } }),
    signal: AbortSignal.timeout(waitMs),
  }));
}

async function json(response) {
  if (!response.ok) throw new Error(`${response.url}: ${response.status}`);
  return await response.json();
}

function fail(message) {
  console.error(`pre-scale: ${message}; nothing more was changed`);
  process.exit(1);
}
