const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** Numbers as a row of bars, the highest one full; as many of the newest as there is room for. */
export function sparkline(numbers: readonly number[], width: number): string {
  const shown = numbers.slice(-width);
  const most = Math.max(1, ...shown);
  return shown.map((number) => bars[Math.round((Math.max(0, number) / most) * (bars.length - 1))] ?? bars[0]).join('');
}

/** Whether a terminal shows more than ASCII, by what its environment says of the locale. */
export function hasUnicode(environment: Readonly<Record<string, string | undefined>>): boolean {
  const { LC_ALL, LC_CTYPE, LANG, TERM } = environment;
  const locale = [LC_ALL, LC_CTYPE, LANG].find((value) => value !== undefined && value !== '') ?? '';
  return TERM !== 'linux' && TERM !== 'dumb' && /utf-?8/i.test(locale);
}
