import { type Declaration, groupByName, titleOf } from './declaration.ts';
import type { Entry } from './extract.ts';

/** Where a declaration is described. */
export interface Home {
  readonly entry: Entry;
  readonly anchor: string;
}

/** Where each declaration is described, by {@link identityOf}. */
export type Homes = ReadonlyMap<string, Home>;

/** Describes each declaration once: in the main entry, or in the first by name of those that export it. */
export function findHomes(entries: readonly Entry[]): Homes {
  const rank = ({ file }: Entry): string => (file === 'index' ? '' : file);
  const homes = new Map<string, Home>();
  for (const entry of entries.toSorted((one, other) => (rank(one) < rank(other) ? -1 : 1))) {
    const own = groupByName(entry.declarations).filter(([first]) => !homes.has(identityOf(first)));
    const seen = new Map<string, number>();
    for (const [first] of own) {
      const slug = titleOf(first).toLowerCase().replaceAll(/\W/g, '');
      const before = seen.get(slug) ?? 0;
      seen.set(slug, before + 1);
      // As GitHub tells headings apart that differ in case alone.
      homes.set(identityOf(first), { entry, anchor: before === 0 ? slug : `${slug}-${before}` });
    }
  }
  return homes;
}

/** The same for a declaration through every entry that it is exported from. */
export function identityOf({ name, fileUrlPath }: Declaration): string {
  return `${fileUrlPath}#${name}`;
}

/** Gives where a name is described, for a link on the page of an entry; nothing where it is on no page. */
export type LinkTo = (name: string) => string | undefined;

/** What a name means on the page of an entry: what that exports, else what is called so elsewhere. */
export function linksOn(entry: Entry, homes: Homes): LinkTo {
  const named = [...homes].map(([identity, home]): [string, Home] => [identity.split('#')[1] ?? '', home]);
  const byName = new Map(named.toReversed());
  for (const declaration of entry.declarations) {
    const home = homes.get(identityOf(declaration));
    if (home !== undefined) byName.set(declaration.name ?? '', home);
  }
  return (name) => {
    const home = byName.get(name);
    if (home === undefined) return undefined;
    return `${home.entry === entry ? '' : `${home.entry.file}.md`}#${home.anchor}`;
  };
}
