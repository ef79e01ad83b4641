/** An option given as `undefined`, by a caller without exact optional properties, is one not given. */
export function withoutUndefined<Options extends object>(options: Options): Given<Options> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Given<Options>;
}

type Given<Options> = { readonly [Name in keyof Options]?: Exclude<Options[Name], undefined> };
