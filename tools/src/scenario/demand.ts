/** One order line of the data. `quantity` is already capped; `price` in pence. */
export interface DemandLine {
  atMs: number;
  invoice: string;
  customer: string;
  sku: string;
  title: string;
  quantity: number;
  price: number;
}

/** A product with what the data's customers want of it. */
export interface WantedProduct {
  sku: string;
  title: string;
  /** Of its first line. */
  price: number;
  demand: number;
  largestLine: number;
  /** The most that one customer asks for in all. */
  largestCustomer: number;
}

/** Reads the data's CSV. Throws when a line is not one, with its number: half a demand would prove nothing. */
export function parseDemand(csv: string, quantityMax: number): DemandLine[] {
  const [header, ...rows] = csv.split(/\r?\n/);
  if (header !== 'time,invoice,customer,sku,title,quantity,price_pence') throw new Error('the data does not start with the header of order lines');
  return rows.filter((row) => row !== '').map((row, index) => {
    const cells = splitCsv(row);
    const [time = '', invoice = '', customer = '', sku = '', title = '', quantity = '', price = ''] = cells;
    const line = { atMs: Date.parse(time), invoice, customer, sku, title, quantity: Math.min(Number(quantity), quantityMax), price: Number(price) };
    const whole = Number.isInteger(line.quantity) && line.quantity >= 1 && Number.isInteger(line.price) && line.price >= 0;
    if (cells.length !== 7 || Number.isNaN(line.atMs) || !whole || sku === '') throw new Error(`line ${index + 2} of the data is no order line`);
    return line;
  });
}

/** The products in the order of their first line. */
export function wantedProducts(lines: readonly DemandLine[]): WantedProduct[] {
  const products = new Map<string, WantedProduct>();
  const byCustomer = new Map<string, number>();
  for (const line of lines) {
    let product = products.get(line.sku);
    if (!product) {
      product = { sku: line.sku, title: line.title, price: line.price, demand: 0, largestLine: 0, largestCustomer: 0 };
      products.set(line.sku, product);
    }
    const pair = `${line.sku}|${line.customer}`;
    const ofCustomer = (byCustomer.get(pair) ?? 0) + line.quantity;
    byCustomer.set(pair, ofCustomer);
    product.demand += line.quantity;
    product.largestLine = Math.max(product.largestLine, line.quantity);
    product.largestCustomer = Math.max(product.largestCustomer, ofCustomer);
  }
  return [...products.values()];
}

/** Cells of one line; a quoted cell may hold commas and doubled quotes. */
function splitCsv(row: string): string[] {
  const cells: string[] = [];
  for (const match of row.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
  return cells;
}
