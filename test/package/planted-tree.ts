import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
  readonly labels: readonly { readonly span: { readonly line: number } }[];
}

const root = join(import.meta.dirname, '../..');

/** A temporary tree of planted lines, under the linter's configuration of this repository. */
export class PlantedTree {
  readonly #lines = new Map<string, string[]>();
  readonly #reports = new Map<string, string[]>();

  /**
   * Adds a line to a file.
   *
   * @param code - in which `it`, `It` and `Its` are made unique, so that any number of lines can share a file
   * @returns what tells, once the linter ran, the rules that this line breaks
   */
  plant(file: string, code: string): () => readonly string[] {
    const lines = this.#lines.get(file) ?? [];
    this.#lines.set(file, lines);
    const line = lines.push(code.replaceAll(/\b[Ii]ts?\b/g, `$&${lines.length}`));
    return () => this.#reports.get(`${file}:${line}`) ?? [];
  }

  /** Runs the linter once over all of it. */
  async lint(): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), 'leasestream-lint-'));
    try {
      await this.#writeTo(directory);
      for (const diagnostic of await lint(directory)) this.#report(diagnostic);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  #report({ filename, code, labels }: Diagnostic): void {
    for (const { span } of labels) {
      const place = `${filename}:${span.line}`;
      this.#reports.set(place, [...(this.#reports.get(place) ?? []), code]);
    }
  }

  async #writeTo(directory: string): Promise<void> {
    await symlink(join(root, 'node_modules'), join(directory, 'node_modules'), 'junction');
    for (const file of ['.oxlintrc.json', 'tsconfig.json']) await cp(join(root, file), join(directory, file));
    for (const [file, lines] of this.#lines) {
      await mkdir(dirname(join(directory, file)), { recursive: true });
      await writeFile(join(directory, file), `${lines.join('\n')}\n`);
    }
  }
}

/** The linter exits with 1 when it finds something: only its output tells. */
async function lint(directory: string): Promise<readonly Diagnostic[]> {
  const oxlint = join(root, 'node_modules/oxlint/bin/oxlint');
  const options = { cwd: directory, maxBuffer: 2 ** 26 };
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [oxlint, '--format=json', 'src'], options, (_error, stdout, stderr) =>
      resolve(stdout || stderr),
    );
  });
  return (JSON.parse(output) as { diagnostics: readonly Diagnostic[] }).diagnostics;
}
