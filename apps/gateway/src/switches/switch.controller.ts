import { Controller } from '@nestjs/common';
import { pageQuery } from '../openapi/page-query.js';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';
import { Services } from '../problem/services.js';
import { Switches } from './switches.js';

/** Switches as operators see and set them. */
@Controller()
export class SwitchController {
  constructor(private readonly services: Services, private readonly switches: Switches) {}

  @Operation('listSwitches')
  listSwitches({ query }: Call): Promise<Answer> {
    return this.services.ask('list-switches', pageQuery(query));
  }

  @Operation('getSwitch')
  getSwitch({ path }: Call): Promise<Answer> {
    return this.services.ask('get-switch', { name: path['name'] ?? '' });
  }

  /** At this gateway the change is in force before the answer leaves. */
  @Operation('setSwitch')
  async setSwitch({ actor, path, body }: Call<{ value: unknown }>): Promise<Answer> {
    const set = await this.services.ask('set-switch', { actor, name: path['name'] ?? '', value: body.value });
    if (set.ok) await this.switches.refresh();
    return set;
  }
}
