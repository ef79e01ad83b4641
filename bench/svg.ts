/** A picture, with what is drawn on it. */
export interface Picture {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  /** Of the title, from the left. */
  readonly x: number;
  /** The style of the classes that are drawn, for a light page and for a dark one. */
  readonly style: { readonly light: string; readonly dark: string };
  /** Elements. */
  readonly drawn: readonly string[];
}

/**
 * Gives a picture as an SVG. Seen through an <img>, on a light or a dark page: nothing is drawn behind, and the colours
 * follow the page's.
 */
export function svg({ title, width, height, x, style, drawn }: Picture): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${title}</title>`,
    `<style>
  text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #424a53; }
  .title { font-size: 14px; font-weight: 600; fill: #1f2328; }${style.light}
  @media (prefers-color-scheme: dark) {
    text { fill: #b7bfc8; }
    .title { fill: #f0f6fc; }${style.dark}
  }
</style>`,
    `<text class="title" x="${x}" y="22">${title}</text>`,
    ...drawn,
    '</svg>\n',
  ].join('\n');
}

export function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
