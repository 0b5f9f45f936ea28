import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { refuse, type Refusal } from '@floodgate/contracts';
import { partOf, workFor } from '@floodgate/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ServedRoutes } from '../openapi/served-routes.js';
import { sendProblem } from './problem.js';

/** Turns whatever was thrown into a problem document. Refusals are no exceptions: what arrives here is a broken request or a bug. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Problem');

  constructor(private readonly routes: ServedRoutes) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    // The client went away in the middle of its request: nobody is left to answer, and nothing is wrong here.
    if (request.raw.destroyed && !request.raw.complete) return;
    if (reply.sent) {
      this.log(exception, request);
      return;
    }
    sendProblem(reply, this.refusalOf(exception, request, reply));
  }

  private refusalOf(exception: unknown, request: FastifyRequest, reply: FastifyReply): Refusal {
    if (request.is404) return this.unknownRoute(request, reply);
    switch (statusOf(exception)) {
      case 400: return refuse('INVALID_REQUEST', 'The request cannot be read.', { errors: [{ path: '', message: 'cannot be read' }] });
      case 404: case 414: return refuse('NOT_FOUND', 'There is nothing here.');
      case 413: return refuse('PAYLOAD_TOO_LARGE', `The body may have at most ${request.routeOptions.bodyLimit} bytes.`);
      case 415: return refuse('UNSUPPORTED_MEDIA_TYPE', `The body must be ${request.routeOptions.config.route?.operation.bodyTypes.join(' or ') || 'application/json'} in UTF-8.`);
      default:
        this.log(exception, request);
        return refuse('INTERNAL', 'Something went wrong on our side.');
    }
  }

  private log(exception: unknown, { id }: FastifyRequest): void {
    partOf(workFor(id), () => this.logger.error(exception instanceof Error ? exception : String(exception)));
  }

  private unknownRoute(request: FastifyRequest, reply: FastifyReply): Refusal {
    const methods = this.routes.methodsOf(request.url);
    if (methods.length === 0) return refuse('NOT_FOUND', 'There is nothing here.');
    reply.header('allow', methods.join(', '));
    return refuse('METHOD_NOT_ALLOWED', `This path takes ${methods.join(', ')}.`);
  }
}

/** The status of an error that Fastify or Nest threw about a request; 500 for all others. */
function statusOf(exception: unknown): number {
  if (exception instanceof HttpException) return exception.getStatus();
  const { name, statusCode } = exception as { name?: unknown; statusCode?: unknown };
  return name === 'FastifyError' && typeof statusCode === 'number' ? statusCode : 500;
}
