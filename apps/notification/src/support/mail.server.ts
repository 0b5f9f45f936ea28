import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

/** A mail server on loopback that takes what is sent by `floodgate` with its password. */
export class MailServer {
  /** Envelope and whole text of each mail. */
  readonly mails: { to: string[]; from: string; text: string }[] = [];
  /** Whether it says "try later" to everything. */
  isBusy = false;
  private readonly server: SMTPServer;

  private constructor() {
    this.server = new SMTPServer({
      // STARTTLS with its own certificate is what the client would rightly refuse.
      disabledCommands: ['STARTTLS'], allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) => done(username === 'floodgate' && password === 'the-password' ? null : new Error('535 no'), { user: username ?? '' }),
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
          if (this.isBusy) return done(Object.assign(new Error('busy'), { responseCode: 451 }));
          const { mailFrom, rcptTo } = session.envelope;
          this.mails.push({ from: mailFrom === false ? '' : mailFrom.address, to: rcptTo.map(({ address }) => address), text: Buffer.concat(chunks).toString('utf8') });
          done();
        });
      },
    });
  }

  static async start(): Promise<MailServer> {
    const mail = new MailServer();
    mail.server.on('error', () => undefined);
    await new Promise<void>((resolve) => { mail.server.listen(0, '127.0.0.1', resolve); });
    return mail;
  }

  get url(): string {
    return `smtp://floodgate:the-password@127.0.0.1:${(this.server.server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => { this.server.close(resolve); });
  }
}
