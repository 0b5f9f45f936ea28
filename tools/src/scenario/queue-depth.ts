import { connect, type ChannelModel } from 'amqplib';

const askEveryMs = 1_000;
/** The queue between a 202 and its order, in the namespace of a platform that was given none. */
const queue = 'floodgate.order.place-order';

/** How many messages wait to become orders, for the live lines. Curiosity only: without an answer the number is not shown. */
export class QueueDepth {
  /** Null while it is not known. */
  current: number | null = null;
  private connection: ChannelModel | null = null;
  private asking = false;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly url: string) {
    this.timer = setInterval(() => void this.ask(), askEveryMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.drop();
  }

  private async ask(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    try {
      this.connection ??= await this.open();
      const channel = await this.connection.createChannel();
      channel.on('error', () => undefined); // A missing queue closes the channel; the rejection below says the same.
      this.current = (await channel.checkQueue(queue)).messageCount;
      await channel.close();
    } catch {
      await this.drop(); // The broker is away or restarting: asked again in a second.
    } finally {
      this.asking = false;
    }
  }

  private async open(): Promise<ChannelModel> {
    const connection = await connect(this.url, { timeout: 2_000 });
    connection.on('error', () => { this.connection = null; });
    connection.on('close', () => { this.connection = null; });
    return connection;
  }

  private async drop(): Promise<void> {
    const { connection } = this;
    this.connection = null;
    this.current = null;
    await connection?.close().catch(() => undefined); // It is being thrown away.
  }
}
