import { accept, refuse, type Answer, type Ask } from '@floodgate/contracts';
import { Answers } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { SaleExporter } from './sale.exporter.js';

/** What the gateway asks for auditors; it has checked their role. */
@Controller()
export class ProofController {
  constructor(private readonly exporter: SaleExporter) {}

  @Answers('export-sale')
  async exportSale({ saleId, cursor }: Ask<'export-sale'>): Promise<Answer<'export-sale'>> {
    if (cursor === null) {
      const first = await this.exporter.make(saleId);
      return first ? accept(first) : refuse('NOT_FOUND', 'There is no such sale, or it was never approved.');
    }
    const page = await this.exporter.page(saleId, cursor);
    return page ? accept(page) : refuse('NOT_FOUND', 'There is no such page: an export is kept for a day.');
  }
}
