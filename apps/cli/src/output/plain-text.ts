/**
 * Text of others (titles, errors, message bodies) for a terminal: what could move the cursor, change its colours or its title is shown
 * as a question mark. Line ends become spaces, so that a row stays a row.
 */
export function plainText(text: string): string {
  // Control characters of both sets, and the marks that turn the direction of writing.
  return text.replaceAll(/\r\n|[\n\r\t\u2028\u2029]/g, ' ').replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, '?');
}

/** JSON for scripts, one document with a line end; what JSON leaves as it is but a terminal would obey is escaped. */
export function jsonText(value: unknown, indent = 2): string {
  return `${JSON.stringify(value, null, indent).replaceAll(/[\u007f-\u009f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}
