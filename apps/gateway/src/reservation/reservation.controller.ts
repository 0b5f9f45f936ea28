import { Controller } from '@nestjs/common';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';
import { itemsOnce } from './items-once.js';
import { ReservationFlow, type ReservationRequest } from './reservation.flow.js';

@Controller()
export class ReservationController {
  constructor(private readonly flow: ReservationFlow) {}

  @Operation('createReservation', { rule: itemsOnce })
  createReservation(call: Call<ReservationRequest>): Promise<Answer> {
    return this.flow.reserve(call);
  }
}
