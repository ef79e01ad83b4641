import type { Row } from './run.ts';

const bar = { height: 16, gap: 4, left: 220, width: 420 };

/** Draws the speeds of the contenders, as multiples of the floor's, one group of bars for each scenario. */
export function chart(rows: readonly Row[]): string {
  const most = Math.max(...rows.map(({ ofFloor }) => ofFloor), 1);
  const parts: string[] = [];
  let y = 10;
  let scenario = '';
  for (const row of rows) {
    if (row.scenario !== scenario) {
      ({ scenario } = row);
      y += 24;
      parts.push(`<text x="10" y="${y}" font-weight="bold">${scenario}</text>`);
      y += 8;
    }
    parts.push(drawBar(row, y, most));
    y += bar.height + bar.gap;
  }
  const floorX = bar.left + bar.width / most;
  parts.push(`<line x1="${floorX}" x2="${floorX}" y1="20" y2="${y}" stroke="#888" stroke-dasharray="4 3"/>`);
  const size = `width="760" height="${y + 10}" viewBox="0 0 760 ${y + 10}"`;
  const style = 'font-family="sans-serif" font-size="12" fill="#444"';
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${style}>\n${parts.join('\n')}\n</svg>\n`;
}

function drawBar({ contender, ofFloor }: Row, y: number, most: number): string {
  const width = Math.max(1, (ofFloor / most) * bar.width);
  const colour = contender.startsWith('leasestream') ? '#e8711c' : '#9db4c0';
  const middle = y + bar.height - 4;
  return [
    `<text x="10" y="${middle}">${contender}</text>`,
    `<rect x="${bar.left}" y="${y}" width="${width.toFixed(1)}" height="${bar.height}" fill="${colour}"/>`,
    `<text x="${(bar.left + width + 6).toFixed(1)}" y="${middle}">${ofFloor.toFixed(2)}</text>`,
  ].join('\n');
}
