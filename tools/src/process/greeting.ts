import { connect } from 'node:net';

/**
 * Says a protocol's first bytes to a port of 127.0.0.1 and tells whether the answer is that protocol's.
 * An open port alone proves nothing: another program may own it, or the server may still be loading.
 */
export function greets(port: number, hello: Buffer | string, answer: RegExp, timeoutMs = 1000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const finish = (ok: boolean): void => {
      socket.destroy();
      resolve(ok);
    };
    socket.setTimeout(timeoutMs, () => finish(false));
    socket.on('error', () => finish(false));
    socket.on('close', () => resolve(false));
    socket.on('connect', () => socket.write(hello));
    socket.on('data', (data) => finish(answer.test(data.toString('latin1'))));
  });
}
