import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, readdirSync, writeFileSync, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';

interface Page {
  certificate: { files: Record<string, { sha256: string; lines: number }>; [member: string]: unknown };
  file: string;
  text: string;
  nextCursor: string | null;
}

/** Asks the gateway for a page of the export; throws one sentence where it refuses. */
export type AskPage = (cursor: string | null) => Promise<unknown>;

/** Throws one sentence where files would be overwritten. */
export function prepareFolder(dir: string): void {
  if (existsSync(dir) && readdirSync(dir).length > 0) throw new Error(`${dir} is not empty: name a folder that is, or none yet`);
  mkdirSync(dir, { recursive: true });
}

/**
 * Writes a sale's export into an empty folder, page by page, the certificate last: a folder with a certificate is whole.
 * @throws where what arrived is not what the certificate says
 */
export async function exportSale(ask: AskPage, dir: string): Promise<Page['certificate']> {
  let open = null as { name: string; stream: WriteStream; hash: ReturnType<typeof createHash> } | null;
  const digests = new Map<string, string>();
  const close = async (): Promise<void> => {
    if (!open) return;
    digests.set(open.name, open.hash.digest('hex'));
    open.stream.end();
    await once(open.stream, 'close');
  };
  for (let cursor: string | null = null; ;) {
    const page = (await ask(cursor)) as Page;
    const name = path.basename(page.file);
    if (open?.name !== name) {
      await close();
      open = { name, stream: createWriteStream(path.join(dir, name), { flags: 'wx' }), hash: createHash('sha256') };
    }
    open.hash.update(page.text);
    if (!open.stream.write(page.text)) await once(open.stream, 'drain');
    cursor = page.nextCursor;
    if (cursor !== null) continue;
    await close();
    for (const [file, { sha256 }] of Object.entries(page.certificate.files)) if (digests.get(file) !== sha256) throw new Error(`${file} did not arrive as it was made: export the sale again`);
    writeFileSync(path.join(dir, 'certificate.json'), `${JSON.stringify(page.certificate, null, 2)}\n`);
    return page.certificate;
  }
}
