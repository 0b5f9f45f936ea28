import { itemId, saleStateAt, type SaleDocument, type SaleView } from '@floodgate/contracts';
import { isoTime } from '@floodgate/platform';
import { currencyOf, type Sale } from './sale.entity.js';

/** One lane per sale: more of them come with the measurement that asks for them. */
const lanesPerSale = 1;

/** The sale as staff see it (schema `Sale` of the public contract); its state moved on by the clock. */
export function saleView(sale: Sale, nowMs: number): SaleView {
  return {
    id: sale.id,
    state: saleStateAt(sale, nowMs),
    version: sale.version,
    title: sale.title,
    merchantId: sale.merchantId,
    mode: sale.mode,
    opensAt: isoTime(sale.opensAtMs),
    closesAt: isoTime(sale.closesAtMs),
    paymentWindowSeconds: sale.paymentWindowSeconds,
    latePayment: sale.latePayment,
    limits: sale.limits,
    challenge: sale.challenge,
    items: sale.items.map((item, index) => ({ id: itemId(sale.id, index + 1), ...item })),
    submittedBy: sale.submittedBy,
    approvedBy: sale.approvedBy,
    createdAt: isoTime(sale.createdAtMs),
    updatedAt: isoTime(sale.updatedAtMs),
    armError: sale.armError,
    audience: sale.audience && { accounts: sale.audience.accounts },
  };
}

/** The sale as the other services need it to sell it, secret included: for messages between services only. */
export function saleDocument(sale: Sale): SaleDocument {
  return {
    saleId: sale.id,
    version: sale.version,
    state: sale.state,
    title: sale.title,
    merchantId: sale.merchantId,
    mode: sale.mode,
    opensAtMs: sale.opensAtMs,
    closesAtMs: sale.closesAtMs,
    paymentWindowMs: sale.paymentWindowSeconds * 1_000,
    latePayment: sale.latePayment,
    limits: { perAccount: sale.limits.perAccount ?? null, perIp: sale.limits.perIp ?? null, attemptsPerMinute: sale.limits.attemptsPerMinute ?? null },
    challenge: sale.challenge,
    currency: currencyOf(sale),
    ridSecret: sale.ridSecret,
    lanes: lanesPerSale,
    audience: sale.audience && { byCode: sale.audience.byCode },
    items: sale.items.map((item, index) => ({
      itemId: itemId(sale.id, index + 1),
      skuId: item.skuId,
      title: item.title,
      imageUrl: item.imageUrl,
      kind: item.kind,
      price: item.price.amount,
      listPrice: item.listPrice?.amount ?? null,
      quota: item.quota,
      perAccount: item.perAccount,
      ...(item.stockVersion === undefined ? {} : { stockVersion: item.stockVersion }),
    })),
  };
}
