/** RFC 3339 in UTC with milliseconds, as the public contract writes every time. */
export const isoTime = (ms: number): string => new Date(ms).toISOString();
