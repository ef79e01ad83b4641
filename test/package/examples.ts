import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A fenced block of TypeScript in the documentation. */
export interface Example {
  /** Where it stands: `README.md:12`. */
  readonly name: string;
  readonly code: string;
  /** From `<!-- example: … -->` before the block: why it is only type-checked, and not run. */
  readonly notRun?: string;
}

const root = join(import.meta.dirname, '../..');
const fence = /^(?<marker><!-- example: (?<notRun>.+?) -->\n+)?```(?<language>[^\n]*)\n(?<code>[^]*?)^```$/gm;
const languages = ['ts', 'sh', 'json', 'text', 'yaml', 'ini', 'dockerfile', 'mermaid', ''];

/** The pages of the documentation, from the root: README.md first, what is generated left out. */
export async function listPages(): Promise<readonly string[]> {
  const inRoot = await readdir(root);
  const docs = existsSync(join(root, 'docs')) ? await readdir(join(root, 'docs')) : [];
  const files = ['README.md', ...inRoot.toSorted(), ...docs.toSorted().map((file) => `docs/${file}`)];
  return [...new Set(files)].filter((file) => file.endsWith('.md'));
}

/** Every example of the pages and of the docstrings in src/, in their order. */
export async function readExamples(): Promise<readonly Example[]> {
  const fromPages = await Promise.all((await listPages()).map(readPage));
  const files = (await readdir(join(root, 'src'), { recursive: true })).filter((file) => file.endsWith('.ts'));
  const fromSource = await Promise.all(
    files
      .toSorted()
      .map(async (file) => docstringExamples(await readFile(join(root, 'src', file), 'utf8'), `src/${file}`)),
  );
  return [...fromPages.flat(), ...fromSource.flat()];
}

/** The examples of a page, named from the root; none where there is no page. */
export async function readPage(page: string): Promise<readonly Example[]> {
  const path = join(root, page);
  return existsSync(path) ? examplesIn(await readFile(path, 'utf8'), page) : [];
}

/**
 * The examples of a markdown text.
 *
 * @throws an Error for a block in a language that would be passed over without a word
 */
export function examplesIn(markdown: string, file: string, firstLine = 1): readonly Example[] {
  return [...markdown.matchAll(fence)].flatMap((match) => {
    const { language, code = '', notRun } = match.groups ?? {};
    const name = `${file}:${firstLine + lineOf(markdown, match.index)}`;
    if (language === undefined || !languages.includes(language)) {
      throw new Error(
        `Cannot check the example ${name}: its language must be one of ${languages.join(', ')}: current value is ${language}`,
      );
    }
    if (language !== 'ts') return [];
    return [{ name, code, ...(notRun !== undefined && { notRun }) }];
  });
}

/**
 * The examples of a module's docstrings.
 *
 * @throws an Error for an `@example` without a fenced block
 */
export function docstringExamples(code: string, file: string): readonly Example[] {
  return [...code.matchAll(/\/\*\*[^]*?\*\//g)].flatMap((match) => {
    const line = 1 + lineOf(code, match.index);
    const text = match[0].replaceAll(/^\s*\*(?: |$)/gm, '');
    const examples = examplesIn(text, file, line);
    if (examples.length < text.split('@example').length - 1) {
      throw new Error(`Cannot check the example ${file}:${line}: an @example has no block of ts`);
    }
    return examples;
  });
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length - 1;
}
