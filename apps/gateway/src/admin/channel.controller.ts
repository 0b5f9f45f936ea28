import { Controller } from '@nestjs/common';
import type { Ask } from '@floodgate/contracts';
import { pageQuery } from '../openapi/page-query.js';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';
import { Services } from '../problem/services.js';

interface ChannelInput extends Pick<Ask<'save-channel'>, 'kind' | 'url' | 'hears'> {
  secret?: string | null;
}

/** Where the team is told of alerts and sales. */
@Controller()
export class ChannelController {
  constructor(private readonly services: Services) {}

  @Operation('listChannels')
  listChannels({ query }: Call): Promise<Answer> {
    return this.services.ask('list-channels', pageQuery(query));
  }

  @Operation('saveChannel')
  saveChannel({ actor, path, body: { kind, url, secret, hears } }: Call<ChannelInput>): Promise<Answer> {
    return this.services.ask('save-channel', { actor, name: path['name'] ?? '', kind, url, secret: secret ?? null, hears });
  }

  @Operation('removeChannel')
  async removeChannel({ actor, path }: Call): Promise<Answer> {
    const removed = await this.services.ask('remove-channel', { actor, name: path['name'] ?? '' });
    return removed.ok ? { ok: true, value: undefined } : removed;
  }

  /** The message is sent while the caller waits. */
  @Operation('testChannel')
  testChannel({ actor, path }: Call): Promise<Answer> {
    return this.services.ask('test-channel', { actor, name: path['name'] ?? '' });
  }
}
