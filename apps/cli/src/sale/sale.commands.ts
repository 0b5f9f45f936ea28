import type { PreflightView, SaleAction, SaleItemView, SaleView } from '@floodgate/contracts';
import type { Call, Command, Result } from '../command/command.js';
import { limitOption, noteMore, saleId } from '../command/options.js';
import { segment } from '../gateway/gateway.client.js';
import { money } from '../output/money.js';
import { pairs, table } from '../output/table.js';
import { armSale, armSeconds } from './arm-sale.js';

const staff = 'merchant (own sales), approver, operator or auditor';
const salePath = (id: string): string => `/v1/admin/sales/${segment(id)}`;

export const saleCommands: readonly Command[] = [
  { name: 'sale list', about: 'sales, newest first', role: staff, options: [limitOption], run: list },
  { name: 'sale show', about: 'one sale, its items, and what the checks before arming say', role: staff, parameters: [saleId], run: show },
  {
    name: 'sale arm', about: 'approve a submitted sale if that is still to be done, and wait until it is armed', role: 'approver (to approve), operator (to wait)',
    parameters: [saleId], options: [armSeconds], run: (call) => armSale(call, salePath(call.args[0]!)),
  },
  { name: 'sale pause', about: 'stop selling, at every gateway within a second; orders stay payable', role: 'operator', parameters: [saleId], run: (call) => move('pause', call) },
  { name: 'sale resume', about: 'sell on after a pause', role: 'operator', parameters: [saleId], run: (call) => move('resume', call) },
  {
    name: 'sale close', about: 'end a sale before its time; orders stay payable', role: 'operator', parameters: [saleId],
    confirm: ([id]) => `End the sale ${id} for good?`, run: (call) => move('close', call),
  },
];

async function list({ gateway, options }: Call): Promise<Result> {
  const sales = await gateway.list<Omit<SaleView, 'items'>>('/v1/admin/sales', { limit: options['limit'] as number });
  const lines = table([
    { head: 'id', cell: (sale) => sale.id }, { head: 'state', cell: (sale) => sale.state }, { head: 'title', cell: (sale) => sale.title, widthMax: 40 },
    { head: 'merchant', cell: (sale) => sale.merchantId, widthMax: 24 }, { head: 'opens', cell: (sale) => sale.opensAt }, { head: 'closes', cell: (sale) => sale.closesAt },
    { head: 'not armed because', cell: (sale) => sale.armError },
  ], sales.items);
  return { value: sales, lines: [...lines, ...noteMore(sales.more)] };
}

async function show({ gateway, args: [id = ''] }: Call): Promise<Result> {
  const path = salePath(id);
  const [sale, preflight] = await Promise.all([gateway.get<SaleView>(path), gateway.get<PreflightView>(`${path}/preflight`)]);
  const failing = preflight.rows.filter(({ ok }) => !ok);
  return {
    value: { ...sale, preflight },
    lines: [
      ...saleLines(sale), '', ...table<SaleItemView>([
        { head: 'item', cell: (item) => item.id }, { head: 'sku', cell: (item) => item.skuId }, { head: 'title', cell: (item) => item.title, widthMax: 40 },
        { head: 'kind', cell: (item) => item.kind }, { head: 'price', cell: (item) => money(item.price) }, { head: 'quota', cell: (item) => item.quota },
        { head: 'per account', cell: (item) => item.perAccount },
      ], sale.items), '',
      ...(failing.length === 0 ? ['every check before arming passes'] : table([{ head: 'check that fails', cell: (row) => row.check }, { head: 'because', cell: (row) => row.detail, widthMax: 200 }], failing)),
    ],
  };
}

async function move(action: SaleAction, { gateway, args: [id = ''] }: Call): Promise<Result> {
  const sale = await gateway.post<SaleView>(`${salePath(id)}/${action}`);
  return { value: sale, lines: [`${sale.id} is ${sale.state}`] };
}

const saleLines = (sale: SaleView): string[] => pairs([
  ['sale', sale.id], ['title', sale.title], ['state', sale.state], ['not armed because', sale.armError], ['merchant', sale.merchantId], ['opens', sale.opensAt], ['closes', sale.closesAt],
  ['seconds to pay', sale.paymentWindowSeconds], ['per account', sale.limits.perAccount], ['per address', sale.limits.perIp], ['challenge', sale.challenge],
  ['audience', sale.audience === null ? 'everybody' : 'a list'], ['submitted by', sale.submittedBy], ['approved by', sale.approvedBy], ['version', sale.version],
]);
