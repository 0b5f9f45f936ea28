import type { BenchReport, ComparisonReport, SubjectReport } from './bench-report.js';
import { figure } from './bench-table.js';

const width = 720;
const barHeight = 26;
const rowHeight = 52;
/** Told apart without colour too: each part has its name beside it, in a title and in the table. */
const colours = ['#2f6f9f', '#c8682b', '#3f8f5b', '#8a5aa8', '#b0423f', '#7a6a4f', '#4f9a9a', '#a39a2f'] as const;

/** The report as one page that needs nothing from elsewhere: what each operation costs and which process pays for it, how many there are a second, and the targets. */
export function benchPage(report: BenchReport): string {
  const { machine, rounds, secondsPerRound } = report;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Floodgate bench</title>
<style>body{font:15px/1.45 system-ui,sans-serif;max-width:760px;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}svg{width:100%;height:auto}text{font-size:13px;fill:currentColor}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid #ccc}.missed{font-weight:bold}@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}th,td{border-color:#444}}</style>
<h1>Bench</h1><p>${escapeHtml(`${report.at}, Node ${machine.node}, ${machine.cpus} × ${machine.model}, ${machine.memoryGiB} GiB; medians of ${rounds} rounds, ${secondsPerRound} s of load each.`)}</p>
${report.comparisons.map(section).join('\n')}</html>
`;
}

function section({ title, operation, subjects, targets }: ComparisonReport): string {
  const rows = targets.map(({ name, value, sense, must, stretch, verdict }) =>
    `<tr class="${verdict}"><td>${escapeHtml(name)}</td><td>${figure(value.median)}</td><td>${sense === 'at-least' ? '≥' : '≤'} ${must}</td><td>${sense === 'at-least' ? '≥' : '≤'} ${stretch}</td><td>${verdict === 'missed' ? 'no' : 'yes'}</td></tr>`);
  return `<h2>${escapeHtml(title)}</h2><h3>CPU-µs per ${escapeHtml(operation)}</h3>${costs(title, subjects)}
<h3>A second</h3>${bars(`${title}, per second`, subjects.map(({ name, perSecond }) => ({ name, parts: [{ name: 'per second', value: perSecond.median }] })))}
<table><tr><th>target</th><th>measured</th><th>must</th><th>stretch</th><th>reached</th></tr>${rows.join('')}</table>`;
}

const costs = (title: string, subjects: readonly SubjectReport[]): string =>
  bars(`${title}, CPU`, subjects.map(({ name, cpuUsByProcess }) => ({ name, parts: Object.entries(cpuUsByProcess).map(([part, value]) => ({ name: part, value })) })));

interface Bar { readonly name: string; readonly parts: readonly { readonly name: string; readonly value: number }[] }

/** Bars on one scale, each made of its parts. */
function bars(title: string, all: readonly Bar[]): string {
  const sum = ({ parts }: Bar): number => parts.reduce((total, { value }) => total + value, 0);
  const most = Math.max(...all.map(sum), Number.MIN_VALUE);
  const names = [...new Set(all.flatMap(({ parts }) => parts.map(({ name }) => name)))];
  const colourOf = (name: string): string => colours[names.indexOf(name) % colours.length]!;
  const drawn = all.map((bar, index) => {
    const y = index * rowHeight;
    let x = 0;
    const rects = bar.parts.map(({ name, value }) => {
      const wide = (value / most) * width;
      const rect = `<rect x="${x.toFixed(1)}" y="${y + 20}" width="${wide.toFixed(1)}" height="${barHeight}" fill="${colourOf(name)}"><title>${escapeHtml(name)} ${figure(value)}</title></rect>`;
      x += wide;
      return rect;
    });
    return `<text x="0" y="${y + 14}">${escapeHtml(bar.name)}: ${figure(sum(bar))}</text>${rects.join('')}`;
  });
  const legend = names.length > 1 ? `<p>${names.map((name) => `<span style="color:${colourOf(name)}">■</span> ${escapeHtml(name)}`).join(' &nbsp; ')}</p>` : '';
  return `<svg role="img" aria-label="${escapeHtml(title)}" viewBox="0 0 ${width} ${all.length * rowHeight}">${drawn.join('')}</svg>${legend}`;
}

const escapeHtml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
