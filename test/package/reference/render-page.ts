import { type Declaration, type Group, groupByName, isOptions, isValue, titleOf } from './declaration.ts';
import type { Entry } from './extract.ts';
import { type Homes, identityOf, type LinkTo, linksOn } from './homes.ts';
import { renderCode, renderLine } from './render-code.ts';
import { renderComment } from './render-comment.ts';

/** The page of an entry: links to all that it exports, then what is described here. */
export function renderPage(entry: Entry, homes: Homes): string {
  const linkTo = linksOn(entry, homes);
  const groups = groupByName(entry.declarations);
  const own = groups.filter(([first]) => homes.get(identityOf(first))?.entry === entry);
  const sections = own.map((group) => renderGroup(group, linkTo));
  return [`# ${entry.specifier}`, renderContents(groups, linkTo), ...sections].join('\n\n');
}

function renderContents(groups: readonly Group[], linkTo: LinkTo): string {
  const all = groups.map(([first]) => first);
  const isOther = (declaration: Declaration): boolean => !isValue(declaration) && !isOptions(declaration);
  const lists = [
    ['Functions and classes', all.filter(isValue)],
    ['Options', all.filter(isOptions)],
    ['Other types', all.filter(isOther)],
  ] as const;
  const lines = lists.map(([title, listed]) => {
    const links = listed.map((declaration) => `[\`${titleOf(declaration)}\`](${linkTo(declaration.name ?? '')})`);
    return links.length === 0 ? [] : [`- ${title}: ${links.join(', ')}`];
  });
  return lines.flat().join('\n');
}

function renderGroup(group: Group, linkTo: LinkTo): string {
  const described = group.map((declaration) => {
    const members = (declaration.members ?? []).map((member) => renderMember(member, linkTo));
    const parts = [renderCode(declaration, linkTo), renderComment(declaration, linkTo), members.join('\n')];
    return parts.filter((part) => part !== '').join('\n\n');
  });
  return [`## ${titleOf(group[0])}`, ...described].join('\n\n');
}

function renderMember(member: Declaration, linkTo: LinkTo): string {
  const comment = renderComment(member, linkTo).replaceAll(/\n(?=[^\n])/g, '\n  ');
  const line = `- ${renderLine(member, linkTo)}`;
  if (comment === '') return line;
  // A list begins a paragraph of its own, where no line can be broken.
  return `${line}${comment.startsWith('- ') ? '\n' : '\\'}\n  ${comment}`;
}
