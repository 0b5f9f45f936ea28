/** Drawings of a report as SVG, made of numbers alone: no script, no font, nothing from elsewhere. Colours are classes of the page. */

export interface Bar { readonly label: string; readonly value: number; readonly shown?: string; readonly kind?: string }
export interface Line { readonly name: string; readonly kind: string; readonly points: readonly (readonly [x: number, y: number])[] }

const width = 640;

export const escapeHtml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;');

/** Horizontal bars, each with its label above it, so that long ones fit a telephone too. */
export function bars(title: string, rows: readonly Bar[]): string {
  const most = Math.max(1, ...rows.map(({ value }) => value));
  const step = 44;
  const drawn = rows.map(({ label, value, shown = String(value), kind = 'a' }, index) => {
    const y = index * step;
    return `<text class="label" x="0" y="${y + 14}">${escapeHtml(label)}</text><text class="value" x="${width}" y="${y + 14}" text-anchor="end">${escapeHtml(shown)}</text>
<rect class="track" x="0" y="${y + 20}" width="${width}" height="12" rx="3"/><rect class="${kind}" x="0" y="${y + 20}" width="${round((Math.max(0, value) / most) * width)}" height="12" rx="3"/>`;
  });
  return svg(title, Math.max(step, rows.length * step), drawn.length > 0 ? drawn.join('\n') : '<text class="label" x="0" y="14">nothing</text>');
}

/** Lines over one axis of seconds; a second that is missing is a zero. */
export function lines(title: string, all: readonly Line[], secondsMax: number): string {
  const height = 220;
  const [left, bottom, top] = [44, 190, 12];
  const most = Math.max(1, ...all.flatMap(({ points }) => points.map(([, y]) => y)));
  const x = (second: number): number => round(left + (second / Math.max(1, secondsMax)) * (width - left - 8));
  const y = (value: number): number => round(bottom - (value / most) * (bottom - top));
  const grid = [0, 0.5, 1].map((share) => `<line class="grid" x1="${left}" x2="${width}" y1="${y(most * share)}" y2="${y(most * share)}"/><text class="axis" x="${left - 6}" y="${y(most * share) + 4}" text-anchor="end">${Math.round(most * share)}</text>`);
  const ticks = [0, 0.5, 1].map((share) => `<text class="axis" x="${x(secondsMax * share)}" y="${bottom + 20}" text-anchor="${['start', 'middle', 'end'][share * 2]!}">${Math.round(secondsMax * share)} s</text>`);
  const drawn = all.map(({ kind, points }) => {
    const known = new Map(points);
    const path = Array.from({ length: secondsMax + 1 }, (_, second) => `${x(second)},${y(known.get(second) ?? 0)}`);
    return `<polyline class="line ${kind}" points="${path.join(' ')}"/>`;
  });
  const legend = all.map(({ name, kind }) => `<span class="key"><i class="${kind}"></i>${escapeHtml(name)}</span>`).join(' ');
  return `${svg(title, height, [...grid, ...ticks, ...drawn].join('\n'))}<p class="legend">${legend}</p>`;
}

const round = (value: number): number => Math.round(value * 10) / 10;
const svg = (title: string, height: number, content: string): string => `<svg role="img" aria-label="${escapeHtml(title)}" viewBox="0 0 ${width} ${height}">${content}</svg>`;
