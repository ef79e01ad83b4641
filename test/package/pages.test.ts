import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../cli/run-cli.ts';
import { listPages } from './examples.ts';
import { anchorsOf, linksOf } from './links.ts';

const root = join(import.meta.dirname, '../..');
const pages = await listPages();
/** What is generated: its examples are those of the docstrings. */
const reference = (await readdir(join(root, 'docs/api'))).map((file) => `docs/api/${file}`);
const textOf = (page: string): string => readFileSync(join(root, page), 'utf8');

/** What a page links to, from the root; other sites left out. */
function targetsOf(page: string): readonly { readonly path: string; readonly anchor: string | undefined }[] {
  return linksOf(textOf(page)).map((link) => {
    const [path = '', anchor] = link.split('#');
    return { path: path === '' ? page : normalize(join(dirname(page), path)), anchor };
  });
}

/** The files of a folder of src/ that a line of the source map names, `*` standing for anything. */
function filesLike(files: readonly string[], name: string): readonly string[] {
  const pattern = new RegExp(`^${name.replaceAll('.', String.raw`\.`).replaceAll('*', '.*')}$`);
  return files.filter((file) => pattern.test(file));
}

describe('README.md', () => {
  const lines = textOf('README.md').split('\n');

  it('is read in five minutes', () => expect(lines.length).toBeLessThanOrEqual(200));

  it('fits on a screen', () => expect(lines.filter((line) => [...line].length > 100)).toEqual([]));

  it('shows code at once', () => expect(lines.findIndex((line) => line.startsWith('```')) + 2).toBeLessThanOrEqual(12));

  it('leads to every page', () => {
    const reached = new Set(['README.md']);
    for (const page of reached) {
      const next = targetsOf(page).map(({ path }) => path);
      for (const path of next) if (path.endsWith('.md')) reached.add(path);
    }
    expect([...pages, ...reference].filter((page) => !reached.has(page))).toEqual([]);
  });
});

describe('the links of the pages', () => {
  it.each([...pages, ...reference])('lead somewhere: %s', (page) => {
    const dead = targetsOf(page).filter(({ path, anchor }) => {
      if (!existsSync(join(root, path))) return true;
      return anchor !== undefined && !anchorsOf(textOf(path)).has(anchor);
    });
    expect(dead).toEqual([]);
  });
});

describe('the source map of docs/architecture.md', () => {
  const [, map = ''] = textOf('docs/architecture.md').split('\n## Source map\n');
  const entries = [...map.matchAll(/^- `(?<folder>[\w/]+)\/`:(?<text>[^]*?)(?=^- |^$)/gm)].map(({ groups }) => groups!);

  it('has every folder', async () => {
    const found = await readdir(join(root, 'src'), { recursive: true, withFileTypes: true });
    const folders = found.filter((entry) => entry.isFile()).map(({ parentPath }) => parentPath.slice(root.length + 1));
    const mapped = entries.map(({ folder }) => folder);
    const rooms = new Set(folders.filter((folder) => folder !== 'src'));
    expect([...rooms].filter((room) => !mapped.some((folder) => `${room}/`.startsWith(`${folder}/`)))).toEqual([]);
  });

  it.each(entries)('names files that are there: $folder', async ({ folder = '', text = '' }) => {
    const files = await readdir(join(root, folder));
    const names = [...text.matchAll(/`([\w*-]+\.ts)`/g)].map(([, name = '']) => name);
    expect(names.filter((name) => filesLike(files, name).length === 0)).toEqual([]);
  });
});

describe('the way of a message in docs/architecture.md', () => {
  const [, section = ''] = textOf('docs/architecture.md').split('\n## One message, from pull to ack\n');
  const [picture = '', text = ''] = (section.split('\n## ')[0] ?? '').split('```mermaid')[1]?.split('```') ?? [];

  it('names in the picture and in the text the same files in the same order', () => {
    // A node that a second line goes on from is drawn once more, without its name.
    const drawn = [...picture.matchAll(/\[([\w-]+\.ts)\]/g)].map(([, name]) => name);
    expect(drawn.length).toBeGreaterThan(10);
    expect([...text.matchAll(/\[`([\w-]+\.ts)`\]/g)].map(([, name]) => name)).toEqual(drawn);
  });
});

describe('the commands that the pages show', () => {
  const spans = pages.flatMap((page) => [...textOf(page).matchAll(/\bleasestream (?<name>[a-z]+)(?<rest>[^`\n#]*)/g)]);
  const shown = spans.map(({ groups }) => ({ name: groups?.['name'] ?? '', rest: groups?.['rest'] ?? '' }));
  const commands = ['serve', 'push', 'pull', 'tail', 'stats', 'redrive'];

  it.each(commands)('are there, with their flags: %s', async (command) => {
    const uses = shown.filter(({ name }) => name === command);
    expect(uses).not.toEqual([]);
    const { code, stdout } = await runCli([command, '--help']);
    expect(code).toBe(0);
    const flags = uses.flatMap(({ rest }) => rest.match(/--[a-z-]+/g) ?? []);
    expect(flags.filter((flag) => !stdout.includes(flag))).toEqual([]);
  });
});

describe('the table of docs/errors.md', () => {
  it('has every code', async () => {
    const source = await readFile(join(root, 'src/contract/errors.ts'), 'utf8');
    const [union = ''] = /export type QueueErrorCode =[^;]+/.exec(source) ?? [];
    const codes = [...union.matchAll(/'([\w-]+)'/g)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(10);
    const rows = textOf('docs/errors.md')
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    expect(codes.filter((code) => !rows.some((row) => row.includes(`\`${code}\``)))).toEqual([]);
  });
});
