import { Body, Controller, Get, Put, UseGuards } from '@nestjs/common';
import { ApiKeyGuard } from '../provider-api/api-key.guard.js';
import { Misbehaviour, misbehaviourSchema, type MisbehaviourSettings } from './misbehaviour.js';

/** The switches, at run time. They are in memory: a restart begins with those of the environment. */
@Controller('v1/misbehaviour')
@UseGuards(ApiKeyGuard)
export class MisbehaviourController {
  constructor(private readonly misbehaviour: Misbehaviour) {}

  @Get()
  read(): MisbehaviourSettings {
    return this.misbehaviour.settings;
  }

  /** Sets every switch; one that is not named is off. */
  @Put()
  change(@Body({ schema: misbehaviourSchema }) settings: MisbehaviourSettings): MisbehaviourSettings {
    this.misbehaviour.change(settings);
    return settings;
  }
}
