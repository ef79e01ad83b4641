// What a queue did in the last minutes, drawn as three lines, each to its own scale.

const width = 300;
const height = 40;
const svg = 'http://www.w3.org/2000/svg';

const trends = [
  { name: 'backlog', of: ({ backlog }) => backlog },
  { name: 'in flight', of: ({ inFlight }) => inFlight },
  { name: 'pushed / s', of: ({ pushRate }) => pushRate },
  { name: 'acked / s', of: ({ ackRate }) => ackRate },
];

/** Puts the lines of a queue into `place`; nothing is drawn while there are fewer than two numbers. */
export function drawTrends(place, history) {
  place.replaceChildren(...(history === undefined ? [] : trends.map((trend) => figure(trend.name, trend.of(history)))));
}

function figure(name, numbers) {
  const last = numbers.at(-1) ?? 0;
  const figureElement = document.createElement('figure');
  const caption = document.createElement('figcaption');
  caption.textContent = `${name} ${show(last)}`;
  figureElement.dataset.trend = name;
  figureElement.append(caption, line(name, numbers));
  return figureElement;
}

function line(name, numbers) {
  const most = Math.max(1, ...numbers);
  const drawn = document.createElementNS(svg, 'svg');
  drawn.setAttribute('viewBox', `0 0 ${width} ${height}`);
  drawn.setAttribute('preserveAspectRatio', 'none');
  drawn.setAttribute('role', 'img');
  drawn.setAttribute('aria-label', `${name} in the last ${numbers.length} s: at most ${show(most)}`);
  const polyline = document.createElementNS(svg, 'polyline');
  // The newest number is at the right edge, a second is a step.
  const points = numbers.map((number, index) => {
    const x = width - (numbers.length - 1 - index);
    return `${x},${(height - 1 - (number / most) * (height - 2)).toFixed(1)}`;
  });
  polyline.setAttribute('points', points.join(' '));
  drawn.append(polyline);
  return drawn;
}

function show(number) {
  return number >= 10 || Number.isInteger(number) ? String(Math.round(number)) : number.toFixed(1);
}
