/** A docstring in its parts. */
export interface DocComment {
  /** What stands before the first tag. */
  readonly summary: string;
  /** The tags that follow, in their order. */
  readonly tags: readonly Tag[];
}

/** A tag of a docstring, with what follows it. */
export interface Tag {
  readonly name: string;
  readonly text: string;
}

/** Takes a docstring apart. What is within a fenced block is no tag. */
export function parseDocComment(comment: string): DocComment {
  const lines = comment.replaceAll(/^\/\*\*|\*\/\s*$/g, '').split('\n');
  const parts: { readonly name: string; readonly lines: string[] }[] = [{ name: '', lines: [] }];
  let isFenced = false;
  for (const line of lines.map((whole) => whole.replace(/^\s*\*(?: |$)/, ''))) {
    if (line.startsWith('```')) isFenced = !isFenced;
    const [, name, rest = ''] = (isFenced ? undefined : /^@(\w+)(.*)$/.exec(line)) ?? [];
    if (name !== undefined) parts.push({ name, lines: [rest] });
    else parts.at(-1)?.lines.push(line);
  }
  const [summary = { name: '', text: '' }, ...tags] = parts.map((part) => ({
    name: part.name,
    text: part.lines.join('\n').trim(),
  }));
  return { summary: summary.text, tags };
}
