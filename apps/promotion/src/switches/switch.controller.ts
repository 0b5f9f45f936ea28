import { Controller, Logger } from '@nestjs/common';
import {
  accept, isSwitchName, refuse, switchDefault, switchFault, switchNames, switches, type Answer, type Ask, type SwitchName, type SwitchRow, type SwitchState,
  type SwitchView,
} from '@floodgate/contracts';
import { Answers, Publisher, errorText, isoTime } from '@floodgate/platform';
import { SwitchStore, stateOf, type SetSwitch } from './switch.store.js';

const names = switchNames.toSorted();

/** The switches of the whole platform, as operators see and set them. A closed table: what is not in it cannot be set. */
@Controller()
export class SwitchController {
  private readonly logger = new Logger('Switches');

  constructor(private readonly store: SwitchStore, private readonly publisher: Publisher) {}

  /** By name. The cursor is the last name of the page before. */
  @Answers('list-switches')
  async list({ limit, cursor }: Ask<'list-switches'>): Promise<Answer<'list-switches'>> {
    if (cursor !== null && !isSwitchName(cursor)) {
      return refuse('INVALID_REQUEST', 'No page gave this cursor.', { errors: [{ path: '/query/cursor', message: 'no page gave this cursor' }] });
    }
    const rest = names.filter((name) => cursor === null || name > cursor);
    const page = rest.slice(0, limit);
    const rows = await this.store.all();
    return accept({ items: page.map((name) => this.view(name, rows)), nextCursor: rest.length > limit ? page.at(-1) ?? null : null });
  }

  /** `NOT_FOUND` for a name that is not in the table. */
  @Answers('get-switch')
  async get({ name }: Ask<'get-switch'>): Promise<Answer<'get-switch'>> {
    return isSwitchName(name) ? accept(this.view(name, await this.store.all())) : notFound();
  }

  /** `NOT_FOUND`; `INVALID_REQUEST` with the bounds. The value that it has already changes nothing. */
  @Answers('set-switch')
  async set({ actor, name, value }: Ask<'set-switch'>): Promise<Answer<'set-switch'>> {
    if (!actor.roles.includes('operator')) return refuse('FORBIDDEN', 'Switches are set by operators.');
    if (!isSwitchName(name)) return notFound();
    const fault = switchFault(name, value);
    if (fault !== null) return refuse('INVALID_REQUEST', `${name} ${fault}.`, { errors: [{ path: '/value', message: fault }] });
    const state = await this.store.set(name, value as boolean | number, actor.accountId);
    if (state) this.announce(state);
    return this.get({ name });
  }

  /** What is set, for the gateways. */
  @Answers('read-switches')
  async read(): Promise<Answer<'read-switches'>> {
    return stateOf(await this.store.all());
  }

  /**
   * Not through the outbox: it is a hint, and with no gateway up it would have nobody to go to. A gateway that does not hear it asks
   * within a second.
   */
  private announce(state: SwitchState): void {
    this.publisher.publish('switches.changed', state).catch((error: unknown) => this.logger.debug(errorText(error)));
  }

  private view(name: SwitchName, rows: readonly SetSwitch[]): SwitchView {
    const row: SwitchRow = switches[name];
    const set = rows.find((one) => one.name === name);
    const byDefault = switchDefault(name, this.store.production);
    return {
      name,
      value: set?.value ?? byDefault,
      default: byDefault,
      type: row.type,
      ...(row.type === 'integer' ? { min: row.min, max: row.max } : {}),
      meaning: row.meaning,
      changedAt: set ? isoTime(set.changedAt.getTime()) : null,
      changedBy: set?.changedBy ?? null,
    };
  }
}

const notFound = () => refuse('NOT_FOUND', 'There is no such switch.');
