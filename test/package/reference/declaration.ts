/** What api-extractor tells of an export or a member. */
export interface Declaration {
  readonly kind: string;
  /** None for a constructor or a signature without a name. */
  readonly name?: string;
  /** The docstring, in full; empty when there is none. */
  readonly docComment?: string;
  /** The code of the declaration, without its members. */
  readonly excerptTokens: readonly Token[];
  /** Where it is declared, for an export: `src/consumer/consumer.ts`. */
  readonly fileUrlPath?: string;
  readonly isOptional?: boolean;
  /** Of an alias, all of it as it is declared, with the comments within. */
  readonly aliasCode?: string;
  readonly members?: readonly Declaration[];
}

/** A piece of code: a `Reference` names another declaration. */
export interface Token {
  readonly kind: 'Content' | 'Reference';
  readonly text: string;
}

/** The declarations of one name: several where a function is overloaded. */
export type Group = readonly [Declaration, ...Declaration[]];

/** Whether it is there when the program runs. */
export function isValue({ kind }: Declaration): boolean {
  return kind === 'Function' || kind === 'Class' || kind === 'Variable';
}

/** Whether it is an interface of options, by its name. */
export function isOptions({ kind, name = '' }: Declaration): boolean {
  return kind === 'Interface' && /(?:Options|Settings|Limit|Rate|Hooks)$/.test(name);
}

/** The heading of a declaration. */
export function titleOf({ kind, name }: Declaration): string {
  return kind === 'Function' ? `${name}()` : `${name}`;
}

/** Puts overloads together: what can be called or made first, then the types. */
export function groupByName(declarations: readonly Declaration[]): readonly Group[] {
  const groups = new Map<string, [Declaration, ...Declaration[]]>();
  for (const declaration of declarations) {
    const title = titleOf(declaration);
    const group = groups.get(title);
    if (group === undefined) groups.set(title, [declaration]);
    else group.push(declaration);
  }
  const all = [...groups.values()];
  return [...all.filter(([first]) => isValue(first)), ...all.filter(([first]) => !isValue(first))];
}
