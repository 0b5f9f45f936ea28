import { Injectable } from '@nestjs/common';
import { refuse, type Refusal, type SwitchName } from '@floodgate/contracts';
import { gaugeFrom, metrics } from '@floodgate/platform';
import type { FastifyReply } from 'fastify';
import { Counter, Gauge } from 'prom-client';
import { Switches } from '../switches/switches.js';
import type { RequestClass } from './request-class.js';

/** Probes must be answered when nothing else is, and streams are bounded where they are kept. */
const bounds = {
  reservations: 'in-flight.reservations-max',
  payments: 'in-flight.payments-max',
  reads: 'in-flight.reads-max',
  staff: 'in-flight.staff-max',
} as const satisfies Partial<Record<RequestClass, SwitchName>>;

type Bounded = keyof typeof bounds;
const counts: Record<Bounded, number> = { reservations: 0, payments: 0, reads: 0, staff: 0 };
/** Requests that came this far since the last scrape: adding to a number costs nothing. */
const arrived: Record<Bounded, number> = { reservations: 0, payments: 0, reads: 0, staff: 0 };
export const inFlightGauge = new Gauge({
  name: 'floodgate_in_flight', help: 'Requests under way, by class.', labelNames: ['class'], registers: [metrics],
  collect() {
    for (const [name, count] of Object.entries(counts)) this.set({ class: name }, count);
  },
});

export const requestsCounter = new Counter({
  name: 'floodgate_requests_total', help: 'Requests that passed the limits of rate and token, by class.', labelNames: ['class'], registers: [metrics],
  collect() {
    for (const [name, count] of Object.entries(arrived)) this.inc({ class: name }, count);
    for (const name of Object.keys(arrived)) arrived[name as Bounded] = 0;
  },
});
const limitGauge = gaugeFrom('floodgate_in_flight_limit', 'Requests that may be under way at once, by class.', 'class');

/** One function per class: a closure per request would be garbage for nothing. */
const leaving = Object.fromEntries(Object.keys(bounds).map((name) => [name, () => { counts[name as Bounded]--; }])) as Record<Bounded, () => void>;

/** How many requests of a class are under way. What comes on top is turned away at once, while the client still listens. */
@Injectable()
export class InFlight {
  constructor(private readonly switches: Switches) {
    limitGauge.read = () => Object.entries(bounds).map(([name, bound]) => [{ class: name }, switches.values[bound]]);
  }

  /** Counts the request until its response is over or its client gone. @returns the refusal, if there are too many */
  enter(kind: RequestClass, reply: FastifyReply): Refusal | null {
    if (!isBounded(kind)) return null;
    arrived[kind]++;
    if (counts[kind] >= this.switches.values[bounds[kind]]) return refuse('OVERLOADED', 'Too many requests are under way.');
    counts[kind]++;
    reply.raw.once('close', leaving[kind]);
    return null;
  }
}

const isBounded = (kind: RequestClass): kind is Bounded => Object.hasOwn(bounds, kind);
