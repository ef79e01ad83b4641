import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { manifest, root } from './packed-package.ts';
import { type Entry, extractEntries } from './reference/extract.ts';
import { complaintsOf, optionsOf, plainConstructors } from './reference/missing-docs.ts';
import { renderPages } from './reference/render-pages.ts';

// `npm run api` runs this file and renews what it compares with.

const pages = join(root, 'docs/api');
const reports = join(root, 'api-report');
const files = Object.values(manifest.exports).flatMap(({ types }) => /(\w+)\.d\.ts$/.exec(types ?? '')?.[1] ?? []);
// As they are before one that is missing is written.
const found = { pages: readdirSync(pages).toSorted(), reports: readdirSync(reports).toSorted() };

let entries: readonly Entry[];

beforeAll(async () => {
  entries = await extractEntries();
}, 120_000);

describe('the reference of docs/api/', () => {
  it('has a page for each entry', () => {
    expect(found.pages).toEqual(['README.md', ...files.map((file) => `${file}.md`)].toSorted());
  });

  it.each(['README', ...files])('is current, else renewed by `npm run api`: %s.md', async (file) => {
    const page = renderPages(entries).get(`${file}.md`);
    expect(page).not.toContain(root);
    await expect(page).toMatchFileSnapshot(join(pages, `${file}.md`));
  });
});

describe('the report of api-report/', () => {
  it('is there for each entry', () => {
    expect(found.reports).toEqual(files.map((file) => `${file}.api.md`).toSorted());
  });

  it.each(files)('is current, else renewed by `npm run api`: %s.api.md', async (file) => {
    const report = entries.find((entry) => entry.file === file)?.report;
    expect(report).not.toContain(root);
    await expect(report).toMatchFileSnapshot(join(reports, `${file}.api.md`));
  });
});

describe('the docstrings', () => {
  it('say something of every export and of each of its members, and link to what is exported', () => {
    expect(complaintsOf(entries)).toEqual([]);
    expect(plainConstructors(entries)).toEqual([]);
  });

  it('say what each option is when it is left out', () => {
    const options = optionsOf(entries).filter(({ isOptional }) => isOptional);
    expect(options.length).toBeGreaterThan(50);
    expect(options.filter(({ defaultValue }) => defaultValue === undefined).map(({ path }) => path)).toEqual([]);
  });

  it('say the unit and the range of each option that is a number', () => {
    const numbers = optionsOf(entries).filter(({ isNumber }) => isNumber);
    expect(numbers.length).toBeGreaterThan(20);
    const vague = numbers.filter(({ summary, unit }) => !summary.includes(unit) || !/\d/.test(summary));
    expect(vague.map(({ path }) => path)).toEqual([]);
  });

  it('name the source of each limit of the service', () => {
    const limit = /(?:to|\.\.|up to) ?(?:100|86 400|43 200 000|1 209 600)\b(?! ?\d)/;
    const limited = optionsOf(entries).filter(({ summary }) => limit.test(summary));
    expect(limited.length).toBeGreaterThan(10);
    expect(limited.filter(({ hasSource }) => !hasSource).map(({ path }) => path)).toEqual([]);
  });
});
