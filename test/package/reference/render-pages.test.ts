import { describe, expect, it } from 'vitest';
import type { Declaration } from './declaration.ts';
import type { Entry } from './extract.ts';
import { renderPages } from './render-pages.ts';

const content = (text: string): Declaration['excerptTokens'] => [{ kind: 'Content', text }];
const reference = (text: string): Declaration['excerptTokens'] => [{ kind: 'Reference', text }];

const lease: Declaration = {
  kind: 'Interface',
  name: 'Lease',
  fileUrlPath: 'src/lease.ts',
  excerptTokens: content('export interface Lease '),
  docComment: '/**\n * How long it *is*.\n */\n',
  members: [
    {
      kind: 'PropertySignature',
      name: 'ms',
      excerptTokens: content('readonly ms?: number;'),
      docComment: '/**\n * In milliseconds.\n *\n * @defaultValue 3\n */',
    },
  ],
};

const open: Declaration = {
  kind: 'Function',
  name: 'lease',
  fileUrlPath: 'src/lease.ts',
  excerptTokens: [...content('export declare function lease(given: '), ...reference('Lease'), ...content('): void;')],
  docComment:
    '/**\n * Leases {@link Lease | it}.\n *\n * @param given - what\n *\n * @example\n * ```ts\n * @a\n * ```\n *\n * @throws\n *\n * Error\n */',
};

function entryOf(file: string, declarations: readonly Declaration[]): Entry {
  return { file, specifier: `leasestream/${file}`, report: '', declarations, complaints: [] };
}

/** The page of an entry, without the note above it. */
function pageOf(entries: readonly Entry[], file: string): string {
  return renderPages(entries).get(`${file}.md`)?.split('\n').slice(2).join('\n') ?? '';
}

describe('renderPages()', () => {
  it('describes functions, then types, with links and examples last', () => {
    expect(pageOf([entryOf('index', [lease, open])], 'index')).toBe(`# leasestream/index

- Functions and classes: [\`lease()\`](#lease)
- Other types: [\`Lease\`](#lease-1)

## lease()

\`function lease(given:\` [\`Lease\`](#lease-1)\`): void\`

Leases [it](#lease-1).

**Parameters:**

- \`given\`: what

**Throws:** Error

\`\`\`ts
@a
\`\`\`

## Lease

\`interface Lease\`

How long it *is*.

- \`ms?: number\`\\
  In milliseconds.

  **Default:** 3
`);
  });

  it('describes once what several entries export, in the main one if it is there', () => {
    const entries = [entryOf('cloudflare', [lease]), entryOf('index', [lease]), entryOf('web', [lease])];
    expect(pageOf(entries, 'index')).toContain('## Lease');
    for (const file of ['cloudflare', 'web']) {
      expect(pageOf(entries, file)).toBe(`# leasestream/${file}\n\n- Other types: [\`Lease\`](index.md#lease)\n`);
    }
  });

  it('tells apart what has the same name', () => {
    const other = { ...lease, fileUrlPath: 'src/broker/lease.ts', docComment: '/** Another. */' };
    const entries = [entryOf('broker', [other]), entryOf('index', [lease])];
    expect(pageOf(entries, 'broker')).toContain('Another.');
    expect(pageOf(entries, 'broker')).toContain('[`Lease`](#lease)');
  });

  it('refuses a tag that it does not know', () => {
    const odd = { ...lease, docComment: '/** It.\n *\n * @since 1\n */' };
    expect(() => renderPages([entryOf('index', [odd])])).toThrow('@since');
  });
});
