import type { Answer, Ask, RequestName } from '@floodgate/contracts';
import { RequestError, type RequestErrorCode } from '@floodgate/platform';

type Responder<N extends RequestName> = (ask: Ask<N>) => Answer<N> | Promise<Answer<N>>;

/** Answers requests from a table instead of over the broker; what is not in it is answered by nobody. Keeps what was asked. */
export class StandInClient {
  state: 'up' | 'down' = 'up';
  readonly asked: { name: RequestName; body: unknown }[] = [];
  /** An empty block list, without which a gateway lets nobody in. */
  private readonly responders = new Map<RequestName, Responder<any>>([['list-blocks', () => ({ entries: [], more: false })]]);

  on<N extends RequestName>(name: N, respond: Responder<N>): this {
    this.responders.set(name, respond);
    return this;
  }

  fail(name: RequestName, code: RequestErrorCode): this {
    return this.on(name, () => { throw new RequestError(code, name); });
  }

  bodies<N extends RequestName>(name: N): Ask<N>[] {
    return this.asked.filter((one) => one.name === name).map(({ body }) => body as Ask<N>);
  }

  count(name: RequestName): number {
    return this.asked.filter((one) => one.name === name).length;
  }

  async ask<N extends RequestName>(name: N, body: Ask<N>): Promise<Answer<N>> {
    this.asked.push({ name, body });
    const respond = this.responders.get(name) as Responder<N> | undefined;
    if (!respond) throw new RequestError('UNROUTABLE', name);
    return respond(body);
  }
}
