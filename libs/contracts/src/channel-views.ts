import type { channelKinds, channelTopics } from './channel-requests.js';

/** A way to tell the team. Its URL and secret are shown to nobody: `leadsTo` is the host, or the domain of a mailbox. */
export interface ChannelView {
  name: string;
  kind: (typeof channelKinds)[number];
  leadsTo: string;
  signed: boolean;
  hears: (typeof channelTopics)[number][];
  savedBy: string;
  savedAt: string;
  lastSentAt: string | null;
  /** Messages that it has not taken yet. */
  waiting: number;
  /** Why it took nothing at the last try; null after a message that it took. */
  lastError: string | null;
}

/** `waiting`: it was not taken, for `error`, or the channel may not be sent to yet (null); it is tried again. */
export interface ChannelTestView {
  name: string;
  outcome: 'sent' | 'waiting';
  error: string | null;
}
