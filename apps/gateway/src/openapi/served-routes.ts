import { Injectable } from '@nestjs/common';
import type { RouteOptions } from 'fastify';

/** Segments that neither the router nor a template would match with a slash inside. */
const segment = '[^/]+';

/** The routes that are really registered, as Fastify tells them: the source of `Allow` and of the served document. */
@Injectable()
export class ServedRoutes {
  readonly operationIds = new Set<string>();
  private readonly methodsByUrl = new Map<string, { pattern: RegExp; methods: string[] }>();

  add(route: RouteOptions): void {
    if (route.config?.route) this.operationIds.add(route.config.route.operation.id);
    const known = this.methodsByUrl.get(route.url) ?? { pattern: patternOf(route.url), methods: [] };
    known.methods.push(...[route.method].flat());
    this.methodsByUrl.set(route.url, known);
  }

  /** The methods of a request's path, query included or not; empty for a path that nothing serves. */
  methodsOf(url: string): string[] {
    const path = url.split('?', 1)[0] ?? '';
    return [...this.methodsByUrl.values()].filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods);
  }

  /** Every served route as `METHOD /path/:parameter`. */
  list(): string[] {
    return [...this.methodsByUrl].flatMap(([url, { methods }]) => methods.map((method) => `${method} ${url}`)).sort();
  }
}

const patternOf = (url: string): RegExp =>
  new RegExp(`^${url.split('/').map((part) => (part.startsWith(':') ? segment : part.replaceAll('.', '\\.'))).join('/')}$`);
