import { type Declaration, isOptions } from './declaration.ts';
import { parseDocComment } from './doc-comment.ts';
import type { Entry } from './extract.ts';

/** What api-extractor says of each entry, but for what is meant to be so. */
export function complaintsOf(entries: readonly Entry[]): readonly string[] {
  const main = entries.find(({ file }) => file === 'index')?.declarations ?? [];
  const inMain = new Set(main.map(({ name }) => name));
  const all = entries.flatMap(({ complaints }) => complaints);
  const kept = all.filter(({ kind, text }) => {
    // All that is exported is public.
    if (kind === 'ae-missing-release-tag') return false;
    // What an entry names may be imported from the main entry.
    if (kind !== 'ae-forgotten-export' && kind !== 'ae-unresolved-link') return true;
    return ![...text.matchAll(/"(\w+)"/g)].some(([, name]) => inMain.has(name));
  });
  return [...new Set(kept.map(({ kind, text }) => `${text} (${kind})`))];
}

/** The constructors that nobody has said anything of: api-extractor writes a sentence of its own. */
export function plainConstructors(entries: readonly Entry[]): readonly string[] {
  const classes = entries.flatMap(({ declarations }) => declarations.filter(({ kind }) => kind === 'Class'));
  const plain = classes.filter(({ members = [] }) =>
    members.some(({ docComment = '' }) => docComment.includes('Constructs a new instance of the')),
  );
  return [...new Set(plain.map(({ name }) => `${name}`))];
}

interface Option {
  /** `ConsumeOptions.batchSize` */
  readonly path: string;
  /** What its name says it is counted in: `seconds`. */
  readonly unit: string;
  /** Whether it is a number, alone or beside something else. */
  readonly isNumber: boolean;
  readonly isOptional: boolean;
  readonly summary: string;
  readonly defaultValue: string | undefined;
  /** Whether it names where it is from. */
  readonly hasSource: boolean;
}

/** Every option that callers may give, of all interfaces that are named so. */
export function optionsOf(entries: readonly Entry[]): readonly Option[] {
  const options = entries.flatMap(({ declarations }) => declarations.filter(isOptions).flatMap(membersOf));
  return [...new Map(options.map((option) => [option.path, option])).values()];
}

const units = [
  ['Ms', 'milliseconds'],
  ['Seconds', 'seconds'],
  ['Bytes', 'bytes'],
] as const;

function membersOf({ name, members = [] }: Declaration): readonly Option[] {
  return members.map(({ name: option, docComment = '', excerptTokens, isOptional = false }) => {
    const { summary, tags } = parseDocComment(docComment);
    const type = excerptTokens.map(({ text }) => text).join('');
    return {
      path: `${name}.${option}`,
      unit: units.find(([ending]) => option?.endsWith(ending))?.[1] ?? '',
      isNumber: /^[^:(]*: (?:[^{(]*\| )?number\b/.test(type),
      isOptional,
      summary,
      hasSource: tags.some((tag) => tag.name === 'see'),
      defaultValue: tags.find((tag) => tag.name === 'defaultValue')?.text,
    };
  });
}
