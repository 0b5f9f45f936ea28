/** Method frames on channel 0, as the broker says them: class 10 (connection), 60 blocked with a reason, 61 unblocked. */
export const blockedFrame = Buffer.from([1, 0, 0, 0, 0, 0, 8, 0, 10, 0, 60, 3, 0x6c, 0x6f, 0x77, 0xce]);
export const unblockedFrame = Buffer.from([1, 0, 0, 0, 0, 0, 4, 0, 10, 0, 61, 0xce]);
