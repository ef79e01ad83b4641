import type { Declaration } from './declaration.ts';
import { parseDocComment, type Tag } from './doc-comment.ts';
import type { LinkTo } from './homes.ts';

/** How tags are titled; examples have none. */
const titles: Readonly<Record<string, string>> = {
  defaultValue: 'Default',
  returns: 'Returns',
  throws: 'Throws',
  see: 'See',
};

const lists: readonly (readonly [tag: string, title: string])[] = [
  ['typeParam', 'Type parameters'],
  ['param', 'Parameters'],
];

/**
 * A docstring as markdown: what it says, parameters, the other tags in their order, and examples last.
 *
 * @throws an Error for a tag that would be passed over without a word
 */
export function renderComment({ docComment = '' }: Declaration, linkTo: LinkTo): string {
  const { summary, tags } = parseDocComment(docComment);
  const listed = lists.map(([name, title]) => renderList(title, tags.filter(tagged(name))));
  const others = tags.filter(({ name }) => name !== 'example' && !lists.some(([list]) => list === name));
  const examples = tags.filter(tagged('example')).map(({ text }) => text);
  const parts = [summary, ...listed, ...others.map(renderTag)].map((part) => withLinks(part, linkTo));
  return [...parts, ...examples].filter((part) => part !== '').join('\n\n');
}

function tagged(wanted: string): (tag: Tag) => boolean {
  return ({ name }) => name === wanted;
}

function renderList(title: string, tags: readonly Tag[]): string {
  const items = tags.map(({ text }) => `- ${text.replace(/^(\S+) - /, '`$1`: ').replaceAll('\n', '\n  ')}`);
  return items.length === 0 ? '' : `**${title}:**\n\n${items.join('\n')}`;
}

function renderTag({ name, text }: Tag): string {
  const title = titles[name];
  if (title === undefined) throw new Error(`Cannot render @${name}: it has no title`);
  return `**${title}:** ${text}`;
}

function withLinks(text: string, linkTo: LinkTo): string {
  return text.replaceAll(/\{@link ([\w.]+)(?: \| ([^}]+))?\}/g, (_, name: string, label?: string) => {
    const [owner = ''] = name.split('.');
    const target = linkTo(owner);
    const shown = label ?? `\`${name}\``;
    return target === undefined ? shown : `[${shown}](${target})`;
  });
}
