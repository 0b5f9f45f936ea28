const STEP_MS = 10;

/** Repeats an assertion until it holds; after the time given, fails as it last did. */
export async function eventually<T>(assertion: () => T | Promise<T>, withinMs = 30_000): Promise<T> {
  for (const end = performance.now() + withinMs; ;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => { setTimeout(resolve, STEP_MS); });
    }
  }
}

/** A promise to be settled from outside. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => { open = resolve; });
  return { opened, open };
}
