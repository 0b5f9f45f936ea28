import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { Client } from 'undici';
import { isPublicAddress } from './public-address.js';

export interface OutboundOptions {
  /**
   * `public`: https to addresses of the open internet only, for URLs that people enter. `any`: also inside and in the clear, for URLs of the
   * configuration and for development.
   */
  reach: 'public' | 'any';
  /** For the whole exchange, looking the name up included. */
  timeoutMs?: number;
  /** Longest body of an answer that is read. */
  bytesMax?: number;
  /** Instead of the system's resolver. @returns every address of the name */
  resolve?: (host: string) => Promise<readonly string[]>;
  /** Instead of the rule which addresses `public` may reach. */
  isAllowed?: (address: string) => boolean;
}

export interface OutboundRequest {
  method?: 'GET' | 'POST' | 'PUT';
  headers?: Record<string, string>;
  body?: string | Buffer;
}

export interface OutboundAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** This URL must not be called, now or ever: trying again is pointless. */
export class OutboundRefusedError extends Error {
  override name = 'OutboundRefusedError';
}

/** The other side is away, too slow or too talkative: it may be tried again. */
export class OutboundFailedError extends Error {
  override name = 'OutboundFailedError';
}

/**
 * HTTP to places that somebody named. A name is looked up once and every address of it checked; the connection goes to what was checked, so
 * a name that changes its mind in between (DNS rebinding) gains nothing. Redirects are answers like any other and never followed.
 */
export class OutboundClient {
  private readonly options: Required<OutboundOptions>;

  constructor(options: OutboundOptions) {
    const isAllowed = options.reach === 'any' ? () => true : isPublicAddress;
    this.options = { timeoutMs: 5_000, bytesMax: 65_536, resolve: resolveAll, isAllowed, ...options };
  }

  /**
   * Whether this URL may be called, for the moment it is saved; it is checked again whenever it is called.
   * @throws OutboundRefusedError with the reason, OutboundFailedError where its name cannot be looked up
   */
  async check(url: string): Promise<void> {
    await this.addressesOf(this.read(url));
  }

  /** @throws OutboundRefusedError, OutboundFailedError */
  async request(url: string, { method = 'GET', headers = {}, body }: OutboundRequest = {}): Promise<OutboundAnswer> {
    const target = this.read(url);
    const signal = AbortSignal.timeout(this.options.timeoutMs);
    const addresses = await before(signal, this.addressesOf(target));
    const { timeoutMs } = this.options;
    const client = new Client(target.origin, { connect: { lookup: pinnedTo(addresses), timeout: timeoutMs }, headersTimeout: timeoutMs, bodyTimeout: timeoutMs, maxHeaderSize: 16_384 });
    try {
      const answer = await client.request({ method, path: `${target.pathname}${target.search}`, headers, body: body ?? null, signal });
      return { status: answer.statusCode, headers: answer.headers, body: await this.readBody(answer.body) };
    } catch (error) {
      throw error instanceof OutboundFailedError ? error : new OutboundFailedError(`${target.host}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    } finally {
      // Not waited for: what is still under way is of no use to anybody.
      void client.destroy();
    }
  }

  /** What a URL says by itself. `new URL` has already turned 0xA9FEA9FE and 2852039166 into the address that they mean. */
  private read(text: string): URL {
    const url = URL.parse(text);
    if (!url) throw new OutboundRefusedError('this is no URL');
    const schemes = this.options.reach === 'any' ? ['https:', 'http:'] : ['https:'];
    if (!schemes.includes(url.protocol)) throw new OutboundRefusedError(`only ${schemes.join(' and ')} URLs are called`);
    if (url.username !== '' || url.password !== '') throw new OutboundRefusedError('a URL with a user name in it is not called');
    return url;
  }

  private async addressesOf({ hostname }: URL): Promise<readonly string[]> {
    const host = hostname.replace(/^\[|\]$/g, '');
    const addresses = isIP(host) > 0 ? [host] : await this.lookUp(host);
    if (addresses.length === 0) throw new OutboundFailedError(`${host} has no address`);
    // One forbidden address among good ones is an attempt, or a mistake that would be one on another day.
    if (!addresses.every(this.options.isAllowed)) throw new OutboundRefusedError(`${host} is not on the open internet`);
    return addresses;
  }

  private async lookUp(host: string): Promise<readonly string[]> {
    try {
      return await this.options.resolve(host);
    } catch (error) {
      throw new OutboundFailedError(`${host} cannot be looked up`, { cause: error });
    }
  }

  private async readBody(body: AsyncIterable<Buffer>): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > this.options.bytesMax) throw new OutboundFailedError(`the answer has more than ${this.options.bytesMax} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }
}

async function resolveAll(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/** Answers the socket's question with what was checked. */
function pinnedTo(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, options, done) => {
    if (options.all) done(null, all);
    else done(null, all[0]!.address, all[0]!.family);
  };
}

/** A resolver cannot be stopped, only no longer waited for. */
async function before<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let giveUp: (() => void) | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    giveUp = () => reject(new OutboundFailedError('the name was not looked up in time'));
    signal.addEventListener('abort', giveUp, { once: true });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    signal.removeEventListener('abort', giveUp!);
  }
}
