import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A declaration file, as the compiler writes it: one statement after the other, none within another. */
interface Declarations {
  /** What stands in the file, by name. */
  readonly own: Map<string, string>;
  /** The files of the package that names come from, with the names that they have there. */
  readonly imported: Map<string, readonly [file: string, name: string]>;
  readonly exported: Map<string, readonly [file: string, name: string]>;
}

/** Follows types through the declaration files of a package. */
export class NamedTypes {
  readonly #files = new Map<string, Declarations>();

  /** What can be imported from a file, as `<the file of the declaration>#<its name>`. */
  exportsOf(file: string): ReadonlySet<string> {
    return new Set([...this.#read(file).exported.keys()].map((name) => this.#resolve(file, name)));
  }

  /** All types that somebody who imports from a file may come upon, in the form of {@link exportsOf}. */
  reachableFrom(file: string): ReadonlySet<string> {
    const reached = new Set(this.exportsOf(file));
    // A set may grow while it is walked.
    for (const type of reached) for (const named of this.#typesNamedBy(type)) reached.add(named);
    return reached;
  }

  #typesNamedBy(type: string): readonly string[] {
    const [file = '', name = ''] = type.split('#');
    const { own, imported } = this.#read(file);
    const code = own.get(name)?.replaceAll(/'[^']*'/g, '') ?? '';
    return [...code.matchAll(/(?<!\.)\b[A-Z]\w*/g)].flatMap(([word]) => {
      if (own.has(word)) return [`${file}#${word}`];
      const source = imported.get(word);
      return source === undefined ? [] : [this.#resolve(...source)];
    });
  }

  #resolve(file: string, name: string): string {
    const source = this.#read(file).exported.get(name);
    if (source === undefined) throw new Error(`${file} exports no ${name}`);
    return source[0] === file ? `${file}#${source[1]}` : this.#resolve(...source);
  }

  #read(file: string): Declarations {
    let declarations = this.#files.get(file);
    if (declarations === undefined) {
      declarations = parse(file, readFileSync(file, 'utf8'));
      this.#files.set(file, declarations);
    }
    return declarations;
  }
}

function parse(file: string, code: string): Declarations {
  const parsed: Declarations = { own: new Map(), imported: new Map(), exported: new Map() };
  const statements = code.replaceAll(/\/\*[^]*?\*\//g, '').split(/^(?=(?:export|import|declare|interface|type)\b)/m);
  for (const statement of statements) {
    const list = /^(import|export)\b[^{}]*\{([^{}]*)\} from '([^']+)'/.exec(statement);
    const [, keyword, names = '', specifier = ''] = list ?? [];
    if (specifier.startsWith('.')) {
      const source = join(dirname(file), specifier.replace(/\.[jt]s$/, '.d.ts'));
      for (const [, name = '', alias = name] of names.matchAll(/(?:type )?(\w+)(?: as (\w+))?/g)) {
        parsed[keyword === 'import' ? 'imported' : 'exported'].set(alias, [source, name]);
      }
    }
    const own = /^(export )?(?:declare )?(?:abstract )?(?:interface|type|class|function|const) (\w+)/.exec(statement);
    const [, isExported, name] = own ?? [];
    if (name !== undefined) parsed.own.set(name, (parsed.own.get(name) ?? '') + statement);
    if (name !== undefined && isExported !== undefined) parsed.exported.set(name, [file, name]);
  }
  return parsed;
}
