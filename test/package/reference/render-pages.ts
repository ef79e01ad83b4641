import { isValue, titleOf } from './declaration.ts';
import type { Entry } from './extract.ts';
import { findHomes } from './homes.ts';
import { renderPage } from './render-page.ts';

/** What stands above each page. */
const note = '<!-- Made of the docstrings by `npm run api`: what is changed here is lost. -->';

/** The pages of the reference by their file names: one for each entry, and one that leads to them. */
export function renderPages(entries: readonly Entry[]): ReadonlyMap<string, string> {
  const homes = findHomes(entries);
  const pages = entries.map((entry) => [`${entry.file}.md`, renderPage(entry, homes)] as const);
  const all = [['README.md', renderIndex(entries)] as const, ...pages];
  return new Map(all.map(([file, page]) => [file, `${note}\n\n${page}\n`]));
}

function renderIndex(entries: readonly Entry[]): string {
  const lines = entries.map(({ file, specifier, declarations }) => {
    const values = new Set(declarations.filter(isValue).map((declaration) => `\`${titleOf(declaration)}\``));
    return `- [${specifier}](${file}.md): ${[...values].join(', ')}`;
  });
  const about = 'Every export of every entry: the unit, range and default of each option, and what is thrown.';
  return `# API reference\n\n${about}\n\n${lines.join('\n')}`;
}
