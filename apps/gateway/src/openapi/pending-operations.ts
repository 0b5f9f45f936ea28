/** Operations of the contract that this platform does not serve yet: the one list. A served one in it fails a test. */
export const pendingOperations: readonly string[] = [];
