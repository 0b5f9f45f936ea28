import { Inject, Injectable } from '@nestjs/common';
import { refuse, type Actor, type Refusal } from '@floodgate/contracts';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { OperationRoute } from '../openapi/operation.decorator.js';
import { document, type Operation } from '../openapi/openapi.document.js';
import { compileRequest } from '../openapi/request-validator.js';
import { sendProblem } from '../problem/problem.js';
import { EarlyRefusal } from '../reservation/early-refusal.js';
import { bearerToken, JwtVerifier, type Identity } from './jwt.js';

const nobody: Actor = { accountId: '', roles: [] };
type Done = (error?: Error) => void;

/**
 * What every request of an operation passes before its controller, in the order of the contract: early refusal, token, role, form.
 * Each route gets hooks made for its operation, so the hot one looks nothing up. Rate limits and the block list belong here, too.
 */
@Injectable()
export class AdmissionHooks {
  constructor(@Inject(JwtVerifier) private readonly tokens: JwtVerifier, private readonly early: EarlyRefusal) {}

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
    return (request: FastifyRequest, reply: FastifyReply, done: Done): void => {
      const refusal = (judgesEarly ? this.early.judge(request) : null) ?? this.authenticate(operation, request);
      // A promise costs a turn of the loop: only a token that needs the provider's keys is one.
      if (refusal instanceof Promise) refusal.then((later) => settle(later, reply, done), done);
      else settle(refusal, reply, done);
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
