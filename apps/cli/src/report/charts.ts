/** Drawings of a report, made of numbers alone: no script, no font, nothing from elsewhere. Colours are classes of the page; words are text of the page, so that they stay readable on a telephone. */

export interface Bar { readonly label: string; readonly value: number; readonly shown?: string; readonly kind?: string }
export interface Line { readonly name: string; readonly kind: string; readonly points: readonly (readonly [x: number, y: number])[] }

const [width, height] = [600, 200];

export const escapeHtml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;');

/** Horizontal bars, each with its label above it, so that long ones fit a telephone too. */
export function bars(title: string, rows: readonly Bar[]): string {
  if (rows.length === 0) return '<p>None.</p>';
  const most = Math.max(1e-9, ...rows.map(({ value }) => value));
  const drawn = rows.map(({ label, value, shown = String(value), kind = 'a' }) =>
    `<li><span class="label">${escapeHtml(label)}</span><span class="value">${escapeHtml(shown)}</span><span class="track"><i class="${kind}" style="width:${round((Math.max(0, value) / most) * 100)}%"></i></span></li>`);
  return `<ul class="bars" aria-label="${escapeHtml(title)}">${drawn.join('\n')}</ul>`;
}

/** Lines over one axis of seconds; a second that is missing is a zero. */
export function lines(title: string, all: readonly Line[], secondsMax: number): string {
  const most = Math.max(1, ...all.flatMap(({ points }) => points.map(([, y]) => y)));
  const x = (second: number): number => round((second / Math.max(1, secondsMax)) * width);
  const y = (value: number): number => round(height - (value / most) * height);
  const grid = [0, 0.5, 1].map((share) => `<line class="grid" x1="0" x2="${width}" y1="${y(most * share)}" y2="${y(most * share)}"/>`);
  const drawn = all.map(({ kind, points }) => {
    const known = new Map(points);
    const path = Array.from({ length: secondsMax + 1 }, (_, second) => `${x(second)},${y(known.get(second) ?? 0)}`);
    return `<polyline class="line ${kind}" points="${path.join(' ')}"/>`;
  });
  const ticks = (shares: readonly number[], text: (share: number) => string): string => shares.map((share) => `<span>${text(share)}</span>`).join('');
  const svg = `<svg role="img" aria-label="${escapeHtml(title)}" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none">${[...grid, ...drawn].join('\n')}</svg>`;
  const legend = all.map(({ name, kind }) => `<span class="key"><i class="${kind}"></i>${escapeHtml(name)}</span>`).join('');
  return `<div class="plot"><div class="up">${ticks([1, 0.5, 0], (share) => String(Math.round(most * share)))}</div>${svg}<div class="along">${ticks([0, 0.5, 1], (share) => `${Math.round(secondsMax * share)} s`)}</div></div><p class="legend">${legend}</p>`;
}

const round = (value: number): number => Math.round(value * 10) / 10;
