import type { Declaration, Token } from './declaration.ts';
import type { LinkTo } from './homes.ts';

/** The code of an export: of an alias as it is declared, since that may be long; of all else on one line. */
export function renderCode(declaration: Declaration, linkTo: LinkTo): string {
  const { aliasCode, excerptTokens } = declaration;
  if (aliasCode === undefined) return renderLine(declaration, linkTo);
  const names = new Set(excerptTokens.filter(({ kind }) => kind === 'Reference').map(({ text }) => text));
  const links = [...names].flatMap((name) => {
    const target = linkTo(name);
    return target === undefined ? [] : [`[\`${name}\`](${target})`];
  });
  const block = `\`\`\`ts\n${aliasCode.replaceAll(/ +$/gm, '')}\n\`\`\``;
  return links.length === 0 ? block : `${block}\n\nWith ${links.join(', ')}.`;
}

/** The code of a declaration on one line, the names in it as links to what they name. */
export function renderLine({ excerptTokens }: Declaration, linkTo: LinkTo): string {
  const pieces = joinContent(excerptTokens, linkTo);
  return pieces
    .map(({ kind, text }, index) => {
      if (kind === 'Reference') return `[\`${text}\`](${linkTo(text)})`;
      const code = text.replaceAll(/\s+/g, ' ').replaceAll(/\b(?:export|declare|readonly) /g, '');
      const isLast = index === pieces.length - 1;
      // Spaces at the ends of a code span are not shown by everybody.
      return (isLast ? code.replace(/[; ]+$/, '') : code).replace(/\S(?:.*\S)?/, '`$&`');
    })
    .join('');
}

/** Takes together what is no link. */
function joinContent(tokens: readonly Token[], linkTo: LinkTo): readonly Token[] {
  const pieces: Token[] = [];
  for (const { kind, text } of tokens) {
    const last = pieces.at(-1);
    if (kind === 'Reference' && linkTo(text) !== undefined) pieces.push({ kind, text });
    else if (last?.kind === 'Content') pieces[pieces.length - 1] = { kind: 'Content', text: last.text + text };
    else pieces.push({ kind: 'Content', text });
  }
  return pieces;
}
