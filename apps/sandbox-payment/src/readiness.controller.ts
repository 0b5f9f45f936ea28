import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { Readiness } from '@floodgate/platform';
import { Book } from './book/book.js';

/** Health on the public port, for those who start the provider alone. */
@Controller()
export class ReadinessController {
  constructor(private readonly book: Book, readiness: Readiness) {
    readiness.register('book', () => book.readable());
  }

  @Get('livez')
  live(): object {
    return {};
  }

  @Get('readyz')
  ready(): object {
    const dependencies = { book: this.book.readable() };
    if (!dependencies.book) throw new ServiceUnavailableException({ dependencies });
    return { dependencies };
  }
}
