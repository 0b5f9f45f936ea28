import type { IncomingHttpHeaders } from 'node:http';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** A body that is read as it comes. The server's limit of bytes does not apply to it: whoever reads it has limits of their own. */
export class StreamedBody {
  constructor(readonly type: string, readonly stream: Readable) {}
}

/** A sender that is silent for so long has gone away. */
const silenceMaxMs = 60_000;
const patient = new WeakSet<Socket>();

/**
 * Hands bodies of these types on unread. An operation that wants none of them refuses it with 415, as any other type.
 * @param isPlain whether the headers say that the bytes are text as it is
 */
export function streamBodies(server: FastifyInstance, types: readonly string[], isPlain: (headers: IncomingHttpHeaders) => boolean, unsupported: () => Error): void {
  for (const type of types) {
    server.addContentTypeParser(type, (request, payload, done) => {
      const wanted = request.routeOptions.config.route?.operation.bodyTypes.includes(type) ?? false;
      if (wanted && isPlain(request.headers)) done(null, new StreamedBody(type, payload));
      else done(unsupported());
    });
  }
}

export const streamedBody = (request: FastifyRequest): StreamedBody | null => (request.body instanceof StreamedBody ? request.body : null);

/** Exempts a request from the time limit of whole requests, as long as its bytes keep coming. @returns ends the exemption */
export function takeYourTime(request: FastifyRequest): () => void {
  const { socket } = request.raw;
  if (!(socket instanceof Socket)) return () => undefined; // injected, and here at once
  patient.add(socket);
  socket.setTimeout(silenceMaxMs);
  return () => {
    patient.delete(socket);
    socket.setTimeout(0);
  };
}

/** Is somebody reading from this socket who takes their time? */
export const mayTakeItsTime = (socket: Socket): boolean => patient.has(socket);
