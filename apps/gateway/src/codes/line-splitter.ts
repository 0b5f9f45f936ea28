/** One line of a stream, counted from 1. `bytes` null: it was longer than allowed, and was thrown away as it came. */
export interface Line {
  number: number;
  bytes: Buffer | null;
}

const newline = 0x0a;
const carriageReturn = 0x0d;

/** Cuts a stream of bytes into lines, LF or CRLF, whatever its chunks are. Never holds more than one line of the longest length. */
export class LineSplitter {
  private rest: Buffer[] = [];
  private restBytes = 0;
  private tooLong = false;
  private number = 0;

  constructor(private readonly lineBytesMax: number) {}

  /** The lines that end in these bytes. */
  push(bytes: Buffer): Line[] {
    const lines: Line[] = [];
    let from = 0;
    for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, from)) {
      this.keep(bytes.subarray(from, at));
      lines.push(this.take());
      from = at + 1;
    }
    this.keep(bytes.subarray(from));
    return lines;
  }

  /** The last line, where the stream did not end with a line's end. */
  end(): Line[] {
    return this.restBytes > 0 || this.tooLong ? [this.take()] : [];
  }

  private keep(part: Buffer): void {
    if (part.length === 0 || this.tooLong) return;
    this.restBytes += part.length;
    this.rest.push(part);
    if (this.restBytes <= this.lineBytesMax) return;
    this.tooLong = true;
    this.rest = [];
    this.restBytes = 0;
  }

  private take(): Line {
    const bytes = this.rest.length === 1 ? this.rest[0]! : Buffer.concat(this.rest);
    const line = { number: ++this.number, bytes: this.tooLong ? null : withoutReturn(bytes) };
    this.rest = [];
    this.restBytes = 0;
    this.tooLong = false;
    return line;
  }
}

const withoutReturn = (bytes: Buffer): Buffer => (bytes.at(-1) === carriageReturn ? bytes.subarray(0, -1) : bytes);
