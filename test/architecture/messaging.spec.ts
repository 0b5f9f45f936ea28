import { describe, expect, it } from '@jest/globals';
import { instanceQueues, messages, queues, requests } from '@floodgate/contracts';
import { files, findAll, isTest, type SourceFile } from './source.js';

const production = files('apps/*/src/**/*.ts').filter((file) => !isTest(file));
const rows = { ...queues, ...instanceQueues };
const listeners = (message: string): string[] => Object.entries(rows).filter(([, row]) => (row.binds as readonly string[]).includes(message)).map(([queue]) => queue);
const isCommand = (message: string): boolean => !message.includes('.');

describe('messages', () => {
  it.each(Object.keys(messages))('%s is published', (message) => {
    expect(publishers(production, message)).not.toEqual([]);
  });

  it.each(Object.keys(messages))('%s reaches somebody, a command exactly one', (message) => {
    expect(listenerFault(message, listeners(message))).toBeNull();
  });
});

describe('queues', () => {
  it.each(Object.keys(rows))('%s has one consumer, in its own app', (queue) => {
    expect(consumers(production, queue)).toEqual([expect.stringMatching(`^apps/${queue.split('.')[0]}/`)]);
  });

  it('nobody consumes a queue that is not in the table', () => {
    const consumed = findAll(production, /@Consume(?:Instance)?\(\s*'([^']+)'/g).map(({ found }) => found);
    expect(consumed.filter((queue) => !(queue in rows))).toEqual([]);
  });
});

describe('requests', () => {
  it.each(Object.entries(requests))('%s is answered once, where its queue says, and asked', (request, { to }) => {
    expect(answerers(production, request)).toEqual([expect.stringMatching(`^apps/${to.split('.')[0]}/`)]);
    expect(askers(production, request)).not.toEqual([]);
  });
});

describe('these rules can fail', () => {
  const fixture: SourceFile[] = [{ path: 'apps/a/src/b.ts', text: "// publish('sale.armed') @Consume('a.b') @Answers('c') ask('c')" }];
  it('a comment is no code', () => {
    expect([publishers(fixture, 'sale.armed'), consumers(fixture, 'a.b'), answerers(fixture, 'c'), askers(fixture, 'c')]).toEqual([[], [], [], []]);
  });

  it('an event needs a listener, a command exactly one', () => {
    expect([listenerFault('sale.armed', []), listenerFault('place-order', ['a.b', 'c.d'])]).toEqual(['nobody listens', '2 listeners of a command']);
  });
});

/** Where a message is handed to the publisher or the outbox: by its literal name, or by a name out of a table in the same file. */
function publishers(sources: readonly SourceFile[], message: string): string[] {
  const byTable = findAll(sources, /\.(publish|add)\(\s*(?:tx,\s*)?[a-z]\w*[,.[]/g).map(({ path }) => path);
  return [
    ...places(sources, new RegExp(`\\.(?:publish|add)\\(\\s*(?:\\w+,\\s*)?('${escaped(message)}')`, 'g')),
    ...places(sources.filter((file) => byTable.includes(file.path)), new RegExp(`: ('${escaped(message)}')`, 'g')),
  ];
}

function consumers(sources: readonly SourceFile[], queue: string): string[] {
  return places(sources, new RegExp(`@Consume(?:Instance)?\\(\\s*('${escaped(queue)}')`, 'g'));
}

function answerers(sources: readonly SourceFile[], request: string): string[] {
  return places(sources, new RegExp(`@Answers\\(\\s*('${escaped(request)}')`, 'g'));
}

function askers(sources: readonly SourceFile[], request: string): string[] {
  return places(sources, new RegExp(`\\bask\\w*(?:<[^>]*>)?\\(\\s*('${escaped(request)}')`, 'gi'));
}

function listenerFault(message: string, queuesBound: readonly string[]): string | null {
  if (queuesBound.length === 0) return 'nobody listens';
  return isCommand(message) && queuesBound.length > 1 ? `${queuesBound.length} listeners of a command` : null;
}

function places(sources: readonly SourceFile[], pattern: RegExp): string[] {
  return findAll(sources, pattern).map(({ path }) => path);
}

function escaped(name: string): string {
  return name.replaceAll('.', String.raw`\.`);
}
