import type { Row } from './compete.ts';
import { escape, svg } from './svg.ts';

const title = 'Messages a second, as multiples of a hand-tuned loop of fetch (dashed)';
const margin = { x: 12, top: 42, bottom: 10 };
const names = { width: 156 };
const panel = { width: 232, gap: 16, titleHeight: 40 };
const bar = { height: 14, pitch: 20, width: 186 };
const mostColumns = 3;

const light = `
  .scenario { font-weight: 600; fill: #1f2328; }
  .right { text-anchor: end; }
  .ours { fill: #d9480f; }
  .floor { fill: #6e7781; }
  .other { fill: #afb8c1; }
  .one { stroke: #6e7781; stroke-dasharray: 3 3; }`;

const dark = `
    .scenario { fill: #f0f6fc; }
    .ours { fill: #ff922b; }
    .floor { fill: #9198a1; }
    .other { fill: #565e68; }
    .one { stroke: #9198a1; }`;

/**
 * Draws the speeds of the contenders as multiples of the floor's, as an SVG: a panel for each scenario, three side by
 * side, all on one scale. Every scenario must have the same contenders.
 */
export function chart(rows: readonly Row[]): string {
  const scenarios = [...new Set(rows.map(({ scenario }) => scenario))];
  const panels = scenarios.map((scenario) => rows.filter((row) => row.scenario === scenario));
  const most = Math.max(...rows.map(({ ofFloor }) => ofFloor), 1);
  const columns = Math.min(mostColumns, panels.length);
  const rowHeight = panel.titleHeight + bar.pitch * (panels[0]?.length ?? 0) + panel.gap;
  const drawn = panels.map((inPanel, index) => {
    const column = index % columns;
    const x = margin.x + names.width + column * (panel.width + panel.gap);
    const y = margin.top + Math.floor(index / columns) * rowHeight;
    return `<g transform="translate(${x} ${y})">\n${drawPanel(inPanel, most, column === 0)}\n</g>`;
  });
  const width = 2 * margin.x + names.width + columns * (panel.width + panel.gap) - panel.gap;
  const height = margin.top + Math.ceil(panels.length / columns) * rowHeight - panel.gap + margin.bottom;
  return svg({ title, width, height, x: margin.x, style: { light, dark }, drawn });
}

function drawPanel(rows: readonly Row[], most: number, isNamed: boolean): string {
  const oneX = (bar.width / most).toFixed(1);
  const bottom = panel.titleHeight + rows.length * bar.pitch;
  const [roundTrip = '', ...others] = (rows[0]?.scenario ?? '').split(', ');
  return [
    `<text class="scenario" x="0" y="12">${escape(roundTrip)}</text>`,
    `<text x="0" y="28">${escape(others.join(', '))}</text>`,
    ...rows.map((row, index) => drawBar(row, panel.titleHeight + index * bar.pitch, most, isNamed)),
    `<line class="one" x1="${oneX}" x2="${oneX}" y1="${panel.titleHeight - 4}" y2="${bottom - 2}"/>`,
  ].join('\n');
}

function drawBar({ contender, ofFloor }: Row, y: number, most: number, isNamed: boolean): string {
  const width = Math.max(1, (ofFloor / most) * bar.width).toFixed(1);
  const baseline = y + bar.height - 3;
  const name = `<text class="right" x="-8" y="${baseline}">${escape(contender)}</text>`;
  return [
    ...(isNamed ? [name] : []),
    `<rect class="${kindOf(contender)}" x="0" y="${y}" width="${width}" height="${bar.height}" rx="2"/>`,
    `<text class="right" x="${panel.width - 4}" y="${baseline}">${ofFloor.toFixed(2)}</text>`,
  ].join('\n');
}

function kindOf(contender: string): 'ours' | 'floor' | 'other' {
  if (contender.startsWith('leasestream')) return 'ours';
  return contender.endsWith('(floor)') ? 'floor' : 'other';
}
