const pollMs = 25;

/**
 * Repeats an assertion until it holds and returns its result; after `timeoutMs` it fails as it last did.
 * The one way to wait in a test: it ends as soon as the thing happened, and says what was still wrong when it did not.
 */
export async function eventually<T>(assertion: () => T | Promise<T>, { timeoutMs = 30_000 }: { timeoutMs?: number } = {}): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => {
        setTimeout(resolve, pollMs);
      });
    }
  }
}
