import { accept, idSchema, refuse, type Outcome } from '@floodgate/contracts';
import { z } from 'zod';
import { unbuiltFeatures } from './sale-features.js';
import type { SaleContent } from './sale.entity.js';

export interface Fault {
  /** JSON pointer into the body. */
  path: string;
  message: string;
}

// Postgres cannot store U+0000 or half a surrogate pair, and what it cannot store must be a refusal, not a failure.
const text = (lengthMax: number) => z.string().min(1).max(lengthMax)
  .refine((value) => value.isWellFormed() && !value.includes('\u0000'), 'contains characters that are not text');
const timestamp = z.string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/, { error: 'must be RFC 3339, UTC, with milliseconds', abort: true })
  .refine(isDate, 'is no date since 1970');
// Bounds far above any real sale: the product of a price and 2,000 units, and the sum of 5,000 quotas, stay exact integers.
const money = z.strictObject({ amount: z.int().min(0).max(1e12), currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code') });
const limit = z.int().min(1).max(1e9).nullish();

const itemSchema = z.strictObject({
  skuId: idSchema,
  title: text(500),
  imageUrl: text(2_048).nullish(),
  kind: z.enum(['goods', 'voucher']),
  price: money,
  listPrice: money.nullish(),
  quota: z.int().min(0).max(1e9),
  perAccount: limit,
});

/** The body of a sale as the public contract has it, features included that are not built yet: they are refused by name. */
export const saleInputSchema = z.strictObject({
  title: text(500),
  merchantId: idSchema,
  mode: z.enum(['race', 'lottery']),
  opensAt: timestamp,
  closesAt: timestamp,
  paymentWindowSeconds: z.int().min(1).max(86_400),
  latePayment: z.enum(['refund', 'reacquire']).optional(),
  limits: z.strictObject({ perAccount: limit, perIp: limit, attemptsPerMinute: limit }),
  audience: z.strictObject({ accounts: z.array(idSchema) }).nullish(),
  challenge: z.enum(['none', 'proof-of-work']),
  items: z.array(itemSchema).min(1).max(5_000),
});
export type SaleInput = z.infer<typeof saleInputSchema>;

/**
 * A sale's body, checked whole: every fault at once, `INVALID_REQUEST` with `errors: [{ path, message }]`.
 * @param merchantId the account that asks; a merchant makes sales of their own only
 */
export function readSaleInput(raw: unknown, merchantId: string): Outcome<SaleContent> {
  const parsed = saleInputSchema.safeParse(raw);
  const faults = [...(parsed.success ? [] : parsed.error.issues.flatMap(faultsOf)), ...crossFaults(wellFormedPart(raw), merchantId)];
  if (!parsed.success || faults.length > 0) return refuse('INVALID_REQUEST', summary(faults), { errors: faults });
  return accept(contentOf(parsed.data));
}

/**
 * A draft with the top-level fields of a patch in place of its own, checked whole.
 * @param draft the draft as it was given, see {@link inputOf}
 */
export function readSalePatch(draft: SaleInput, patch: unknown, merchantId: string): Outcome<SaleContent> {
  const fields = z.record(z.string(), z.unknown()).safeParse(patch);
  if (!fields.success) return refuse('INVALID_REQUEST', 'The body must be an object.', { errors: [{ path: '', message: 'must be an object' }] });
  return readSaleInput({ ...draft, ...fields.data }, merchantId);
}

/** What would have to be sent to make this sale. */
export function inputOf(content: SaleContent): SaleInput {
  const { opensAtMs, closesAtMs, title, merchantId, mode, paymentWindowSeconds, latePayment, limits, challenge, items, audience } = content;
  return {
    title, merchantId, mode, paymentWindowSeconds, latePayment, limits, challenge, items,
    ...(audience ? { audience: { accounts: audience.accounts } } : {}),
    opensAt: new Date(opensAtMs).toISOString(),
    closesAt: new Date(closesAtMs).toISOString(),
  };
}

/** The round trip catches the 30th of February, which `Date.parse` takes for the 2nd of March. */
function isDate(value: string): boolean {
  const ms = Date.parse(value);
  return ms >= 0 && new Date(ms).toISOString() === value;
}

function contentOf(input: SaleInput): SaleContent {
  return {
    title: input.title,
    merchantId: input.merchantId,
    mode: 'race',
    opensAtMs: Date.parse(input.opensAt),
    closesAtMs: Date.parse(input.closesAt),
    paymentWindowSeconds: input.paymentWindowSeconds,
    latePayment: input.latePayment ?? 'refund',
    limits: input.limits,
    challenge: input.challenge,
    audience: input.audience ? { accounts: input.audience.accounts, byCode: false } : null,
    items: input.items.map((item) => ({
      skuId: item.skuId,
      title: item.title,
      imageUrl: item.imageUrl ?? null,
      kind: item.kind,
      price: item.price,
      listPrice: item.listPrice ?? null,
      quota: item.quota,
      perAccount: item.perAccount ?? null,
    })),
  };
}

/** The top-level fields that are well-formed by themselves, so that rules between fields are checked although another field is not. */
function wellFormedPart(raw: unknown): Partial<SaleInput> {
  if (typeof raw !== 'object' || raw === null) return {};
  const given = raw as Record<string, unknown>;
  return Object.fromEntries(Object.entries(saleInputSchema.shape).flatMap(([name, schema]) => {
    const field = schema.safeParse(given[name]);
    return field.success && field.data !== undefined ? [[name, field.data]] : [];
  }));
}

function crossFaults(input: Partial<SaleInput>, merchantId: string): Fault[] {
  const faults: Fault[] = unbuiltFeatures(input).map(({ path, feature }) => ({ path, message: `${feature} is not built yet` }));
  if (input.merchantId !== undefined && input.merchantId !== merchantId) {
    faults.push({ path: '/merchantId', message: 'must be the account that asks' });
  }
  if (input.opensAt && input.closesAt && Date.parse(input.closesAt) <= Date.parse(input.opensAt)) {
    faults.push({ path: '/closesAt', message: 'must be after opensAt' });
  }
  return [...faults, ...itemFaults(input.items ?? [])];
}

function itemFaults(items: SaleInput['items']): Fault[] {
  const faults: Fault[] = [];
  const skus = new Set<string>();
  const currency = items[0]?.price.currency;
  items.forEach((item, index) => {
    if (skus.has(item.skuId)) faults.push({ path: `/items/${index}/skuId`, message: 'stands in this sale already' });
    skus.add(item.skuId);
    for (const name of ['price', 'listPrice'] as const) {
      const given = item[name]?.currency;
      if (given && given !== currency) faults.push({ path: `/items/${index}/${name}/currency`, message: `a sale has one currency: ${currency}` });
    }
  });
  return faults;
}

function faultsOf(issue: z.core.$ZodIssue): Fault[] {
  const path = pointer(issue.path);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ path: path + pointer([key]), message: 'is not a field of the contract' }));
  return [{ path, message: issue.message }];
}

const pointer = (path: readonly PropertyKey[]): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const summary = (faults: readonly Fault[]): string =>
  faults.length === 1 ? `${faults[0]!.path || 'The body'}: ${faults[0]!.message}.` : `${faults.length} faults, see errors.`;
