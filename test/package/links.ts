/** What a markdown text links to and shows, in order; other sites, and what stands in code, left out. */
export function linksOf(markdown: string): readonly string[] {
  const links = [...withoutCode(markdown).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => !/^[a-z]+:/.test(link));
}

/** The anchors of a markdown text's headings, as GitHub makes them: those that are the same are numbered. */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = [...withoutFences(markdown).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  const anchors = new Map<string, number>();
  for (const heading of headings) {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    const before = anchors.get(anchor) ?? 0;
    anchors.set(anchor, before + 1);
    if (before > 0) anchors.set(`${anchor}-${before}`, 1);
  }
  return new Set(anchors.keys());
}

function withoutFences(markdown: string): string {
  return markdown.replaceAll(/^```[^]*?^```$/gm, '');
}

// The text of a link may be code; its target is none.
function withoutCode(markdown: string): string {
  return withoutFences(markdown).replaceAll(/`[^`\n]*`/g, '');
}
