import { Req, RequestMapping, RequestMethod, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { Actor, Refusal } from '@floodgate/contracts';
import { currentSpan, served } from '@floodgate/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem } from '../problem/problem.js';
import { operationOf, type Operation as OperationNode } from './openapi.document.js';
import type { BodyRule, RequestParameters } from './request-validator.js';

/** One checked request: who calls (empty on public routes) and what the document lets them say. */
export interface Call<Body = unknown> extends RequestParameters {
  actor: Actor;
  body: Body;
  request: FastifyRequest;
  reply: FastifyReply;
}

/** What a controller method gives back: a value with the document's status (or another), or a refusal. */
export type Answer<T = unknown> = { ok: true; value: T; status?: number; headers?: Record<string, string> } | Refusal;

/** Given back by a method that writes the response itself. */
export const writtenByHandler = Symbol('written by the handler');

export interface OperationOptions {
  /** The body stays as it came, unread: `request.body.raw`. */
  raw?: boolean;
  /** What the body's schema cannot say. */
  rule?: BodyRule;
}

/** What the router keeps for a route; the admission hooks are made from it. */
export interface OperationRoute extends OperationOptions {
  operation: OperationNode;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    route?: OperationRoute;
    /** Path of a page that the document lists as outside of the contract. */
    outside?: string;
  }
  interface FastifyRequest {
    actor: Actor;
    call: Call;
  }
}

type Handle = (this: unknown, call: Call<never>) => Promise<Answer | typeof writtenByHandler> | Answer;

/**
 * Serves an operation of the OpenAPI document. Path, method, success status, roles and what a request may hold come from there;
 * the method gets a checked {@link Call} and gives back a value or a refusal. Whatever it asks, says and logs carries the request's id, and is a trace if the sampler wants one.
 */
export const Operation = (id: string, options: OperationOptions = {}) => {
  const operation = operationOf(id);
  const name = `${operation.method} ${operation.url}`;
  const start = () => ({ kind: 'server', attributes: { 'http.request.method': operation.method, 'http.route': operation.url } }) as const;
  return (target: object, key: string, descriptor: TypedPropertyDescriptor<any>): void => {
    const handle = descriptor.value as Handle;
    descriptor.value = async function serve(this: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
      await served(request.id, name, start, async () => {
        const answer = await handle.call(this, request.call as Call<never>);
        if (answer !== writtenByHandler) sendAnswer(reply, operation, answer);
        currentSpan()?.set({ 'http.response.status_code': reply.statusCode, 'floodgate.request_id': request.id });
      });
    };
    RequestMapping({ path: operation.url, method: RequestMethod[operation.method] })(target, key, descriptor);
    RouteConfig({ route: { operation, ...options } satisfies OperationRoute })(target, key, descriptor);
    Req()(target, key, 0);
    Res()(target, key, 1);
  };
};

function sendAnswer(reply: FastifyReply, operation: OperationNode, answer: Answer): void {
  if (!answer.ok) {
    sendProblem(reply, answer);
    return;
  }
  reply.code(answer.status ?? operation.status);
  if (answer.headers) reply.headers(answer.headers);
  if (answer.value === undefined) reply.send();
  else reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(answer.value));
}
