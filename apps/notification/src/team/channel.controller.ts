import type { Answer, Ask } from '@floodgate/contracts';
import { Answers } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { ChannelCheck } from './channel.check.js';
import { ChannelDesk } from './channel.desk.js';

/** What the gateway asks for operators; it has checked their role. */
@Controller()
export class ChannelController {
  constructor(private readonly desk: ChannelDesk, private readonly check: ChannelCheck) {}

  @Answers('list-channels')
  list({ limit, cursor }: Ask<'list-channels'>): Promise<Answer<'list-channels'>> {
    return this.desk.list(limit, cursor);
  }

  /** An internal address is refused here, and again whenever the channel is sent to. */
  @Answers('save-channel')
  async save({ actor, ...channel }: Ask<'save-channel'>): Promise<Answer<'save-channel'>> {
    return (await this.check.faultOf(channel)) ?? this.desk.save(channel, actor.accountId);
  }

  @Answers('remove-channel')
  remove({ actor, name }: Ask<'remove-channel'>): Promise<Answer<'remove-channel'>> {
    return this.desk.remove(name, actor.accountId);
  }

  @Answers('test-channel')
  test({ actor, name }: Ask<'test-channel'>): Promise<Answer<'test-channel'>> {
    return this.desk.test(name, actor.accountId);
  }
}
