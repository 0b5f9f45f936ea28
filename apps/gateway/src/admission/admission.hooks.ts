import { Inject, Injectable } from '@nestjs/common';
import { refuse, type Actor, type Refusal, type SwitchName } from '@floodgate/contracts';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { InFlight } from '../limits/in-flight.js';
import { limitedRoute } from '../limits/request-class.js';
import { RequestLimits } from '../limits/request-limits.js';
import type { OperationRoute } from '../openapi/operation.decorator.js';
import { document, type Operation } from '../openapi/openapi.document.js';
import { compileRequest } from '../openapi/request-validator.js';
import { sendProblem } from '../problem/problem.js';
import { EarlyRefusal } from '../reservation/early-refusal.js';
import { Switches } from '../switches/switches.js';
import { bearerToken, JwtVerifier, type Identity } from './jwt.js';

const nobody: Actor = { accountId: '', roles: [] };
/** What an operator can switch off. */
const switchOf: Partial<Record<string, SwitchName>> = {
  createReservation: 'reservations.enabled',
  createEntryToken: 'entry-tokens.enabled',
  createChallenge: 'entry-tokens.enabled',
  startPayment: 'payments.enabled',
  streamReservation: 'streams.enabled',
};
type Done = (error?: Error) => void;

/**
 * What every request of an operation passes before its controller: switched off, early refusal, rate of the address, token, role, rate of the
 * account, requests under way, form. Each route gets hooks made for its operation, so the hot one looks nothing up.
 */
@Injectable()
export class AdmissionHooks {
  constructor(
    @Inject(JwtVerifier) private readonly tokens: JwtVerifier,
    private readonly early: EarlyRefusal,
    private readonly limits: RequestLimits,
    private readonly inFlight: InFlight,
    private readonly switches: Switches,
  ) {}

  /** Sets the limits and hooks of a route as its operation wants them. A route that no document knows is a bug, and open to all: refused. */
  apply(route: RouteOptions): void {
    const config = route.config?.route;
    if (!config) {
      if (!(route.config?.outside && route.config.outside in document['x-outside'])) throw new Error(`route ${String(route.method)} ${route.url} is not in the OpenAPI document`);
      return;
    }
    route.bodyLimit = config.operation.bodyBytesMax;
    route.onRequest = this.onRequest(config.operation);
    route.preValidation = readCall(config);
  }

  private onRequest(operation: Operation) {
    const judgesEarly = operation.id === 'createReservation';
    const switchName = switchOf[operation.id];
    const route = limitedRoute(operation);
    const mayHold = (request: FastifyRequest): boolean => this.early.mayHold(request);
    return (request: FastifyRequest, reply: FastifyReply, done: Done): void => {
      const first = (switchName && !this.switches.values[switchName] ? switchedOff() : null)
        ?? (judgesEarly ? this.early.judge(request) : null)
        ?? this.limits.judgeAddress(route, request, mayHold)
        ?? this.authenticate(operation, request);
      const known = (refusal: Refusal | null): void => settle(refusal ?? this.limits.judgeAccount(route, request, mayHold) ?? this.inFlight.enter(route.kind, reply), reply, done);
      // A promise costs a turn of the loop: only a token that needs the provider's keys is one.
      if (first instanceof Promise) first.then(known, done);
      else known(first);
    };
  }

  /** Puts the caller into the request; a public operation has none. @returns the refusal, if any */
  private authenticate(operation: Operation, request: FastifyRequest): Refusal | null | Promise<Refusal | null> {
    request.actor = nobody;
    if (operation.authentication === 'none') return null;
    const header = request.headers.authorization;
    if (header === undefined && operation.authentication === 'optional') return null;
    const token = bearerToken(header);
    const identity = token === null ? null : this.tokens.verify(token, Date.now());
    return identity instanceof Promise
      ? identity.then((known) => authorize(operation, request, known))
      : authorize(operation, request, identity);
  }
}

function settle(refusal: Refusal | null, reply: FastifyReply, done: Done): void {
  if (refusal) sendProblem(reply, refusal);
  else done();
}

function authorize({ roles }: Operation, request: FastifyRequest, identity: Identity): Refusal | null {
  if (identity === 'unavailable') return refuse('UNAVAILABLE', 'The keys of the identity provider cannot be fetched.');
  if (!identity) return refuse('UNAUTHENTICATED', 'A valid bearer token is needed.');
  request.actor = identity;
  return roles.length === 0 || roles.some((role) => identity.roles.includes(role))
    ? null
    : refuse('FORBIDDEN', `This needs the role ${roles.join(' or ')}.`);
}

const switchedOff = (): Refusal => refuse('UNAVAILABLE', 'This is switched off for the moment.');

/** Checks parameters, headers and body against the document, and hands the controller what it may rely on. */
function readCall({ operation, ...options }: OperationRoute) {
  const read = compileRequest(operation, options);
  return (request: FastifyRequest, reply: FastifyReply, done: Done): void => {
    const { faults, ...given } = read(request);
    if (faults.length > 0) {
      sendProblem(reply, refuse('INVALID_REQUEST', `The request has ${faults.length === 1 ? '1 fault' : `${faults.length} faults`}.`, { errors: faults }));
      return;
    }
    request.call = { ...given, actor: request.actor, request, reply };
    done();
  };
}
