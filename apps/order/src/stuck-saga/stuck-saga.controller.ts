import { accept, refuse, type Answer, type Ask } from '@floodgate/contracts';
import { Answers } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { StuckSagaStore } from './stuck-saga.store.js';

/** What the gateway asks for operators; it has checked their role. */
@Controller()
export class StuckSagaController {
  constructor(private readonly sagas: StuckSagaStore) {}

  @Answers('list-stuck-sagas')
  async list({ limit, cursor }: Ask<'list-stuck-sagas'>): Promise<Answer<'list-stuck-sagas'>> {
    const page = await this.sagas.page(limit, cursor);
    return page ? accept(page) : refuse('INVALID_REQUEST', 'not a cursor of this list', { errors: [{ path: '/query/cursor', message: 'must be the nextCursor of a page' }] });
  }
}
