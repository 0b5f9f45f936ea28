/** One message to one buyer. */
export interface BuyerMessage {
  rid: string;
  kind: 'created' | 'paid' | 'fulfilled' | 'replaced' | 'returned' | 'closed';
  accountId: string;
  /** A sentence for the buyer. */
  body: string;
}

/** The way out to buyers: a log in development, mail or push elsewhere. */
export abstract class Channel {
  /**
   * Delivers one message, or throws if it may not have been delivered; it is then delivered again, and so it is after a crash:
   * a buyer may hear something twice, but never nothing.
   */
  abstract deliver(message: BuyerMessage): Promise<void>;
}
