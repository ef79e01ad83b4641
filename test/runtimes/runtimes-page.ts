import { readFileSync, writeFileSync } from 'node:fs';
import type { Outcomes } from './runtimes.ts';

/** Whether the page is written rather than read. */
const writes = process.env['WRITE_DOCS'] === '1';

type Columns = Map<string, Outcomes>;

/** A page with a table under each heading: a row a case, a column a runtime. */
export class RuntimesPage {
  readonly #file: string;
  readonly #found = new Map<string, Columns>();

  constructor(file: string) {
    this.#file = file;
  }

  /** What the page says of a runtime, or will say when it is written. */
  told(heading: string, runtime: string, outcomes: Outcomes): Outcomes | undefined {
    const columns = this.#found.get(heading) ?? new Map<string, Outcomes>();
    this.#found.set(heading, columns.set(runtime, outcomes));
    return writes ? outcomes : this.#read(heading).get(runtime);
  }

  /** Writes what was found, where that was asked for. To be formatted afterwards. */
  write(): void {
    if (!writes) return;
    let page = readFileSync(this.#file, 'utf8');
    for (const [heading, columns] of this.#found) {
      page = page.replace(new RegExp(`(## ${heading}\n[^]*?\n)\\|[^]*?\n(?!\\|)`), `$1${tableOf(columns)}\n`);
    }
    writeFileSync(this.#file, page);
  }

  #read(heading: string): Columns {
    const [, section = ''] = readFileSync(this.#file, 'utf8').split(`## ${heading}\n`);
    const [names = [], , ...rows] = section
      .split('\n## ', 1)
      .flatMap((text) => text.split('\n'))
      .filter((line) => line.startsWith('|'))
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    const column = (at: number): Outcomes =>
      Object.fromEntries(rows.map((cells) => [cells[0] ?? '', (cells[at] ?? '').replaceAll('`', '')]));
    return new Map(names.slice(1).map((name, index) => [name, column(index + 1)]));
  }
}

function tableOf(columns: Columns): string {
  const names = [...columns.keys()];
  const rows = Object.keys(columns.values().next().value ?? {});
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const cells = (row: string): readonly string[] => names.map((name) => quoted(columns.get(name)?.[row] ?? ''));
  return [
    line(['', ...names]),
    line(['', ...names].map(() => '---')),
    ...rows.map((row) => line([row, ...cells(row)])),
  ].join('\n');
}

/** Codes as code. */
function quoted(outcome: string): string {
  return outcome.replace(/^[a-z]+(-[a-z]+)+|^network|^timeout/, '`$&`');
}
