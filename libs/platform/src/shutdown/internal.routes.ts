import { Injectable } from '@nestjs/common';

export interface InternalRequest {
  /** The whole header. */
  authorization: string | undefined;
  body: Buffer;
}

export interface InternalAnswer {
  status: number;
  body: object;
}

export type InternalHandler = (request: InternalRequest) => Promise<InternalAnswer>;

/** What a service lets other servers of the platform's operators post to its internal listener. */
@Injectable()
export class InternalRoutes {
  private readonly handlers = new Map<string, InternalHandler>();

  /** @param path such as `/alerts` */
  post(path: string, handler: InternalHandler): void {
    this.handlers.set(path, handler);
  }

  find(path: string): InternalHandler | undefined {
    return this.handlers.get(path);
  }
}
