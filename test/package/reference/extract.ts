import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import {
  CompilerState,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  type ExtractorMessage,
  type IConfigFile,
} from '@microsoft/api-extractor';
import { manifest, root, run } from '../packed-package.ts';
import type { Declaration } from './declaration.ts';

/** What can be imported from one entry of the package. */
export interface Entry {
  /** The file's name, and that of its page and its report: `index`, `node`. */
  readonly file: string;
  /** What users import: `leasestream/node`. */
  readonly specifier: string;
  /** The report, as api-extractor writes it. */
  readonly report: string;
  readonly declarations: readonly Declaration[];
  /** What is wrong with docstrings and exports. */
  readonly complaints: readonly Complaint[];
}

export interface Complaint {
  /** As api-extractor names it: `ae-undocumented`. */
  readonly kind: string;
  /** Where, and what: `src/node.ts: Missing documentation for "toReadable".` */
  readonly text: string;
}

/** How the declarations are read. */
const compilerOptions = {
  target: 'es2022',
  lib: ['es2023', 'esnext.disposable'],
  types: ['node'],
  module: 'nodenext',
  strict: true,
  skipLibCheck: true,
};

/** Reads each entry of package.json: its declarations, made from the sources as they are now. */
export async function extractEntries(): Promise<readonly Entry[]> {
  // Within the project, so that the packages are found which the declarations import.
  const directory = await mkdtemp(join(root, '.tmp-reference-'));
  try {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const built = ['-p', 'tsconfig.build.json', '--emitDeclarationOnly', '--outDir', directory];
    await run(process.execPath, [tsc, ...built], root);
    await mkdir(join(directory, 'report'));
    const entries = Object.entries(manifest.exports).filter(([path]) => path !== './package.json');
    const files = entries.map(([path, { types }]) => ({
      specifier: path.replace('.', 'leasestream'),
      config: configOf(directory, basename(types, '.d.ts')),
    }));
    const [first] = files;
    if (first === undefined) throw new Error('package.json exports nothing');
    const additionalEntryPoints = files.map(({ config }) => config.mainEntryPointFilePath);
    const compilerState = CompilerState.create(first.config, { additionalEntryPoints });
    const extracted = files.map(({ specifier, config }) => extract(specifier, config, compilerState));
    return await Promise.all(extracted);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function configOf(directory: string, file: string): ExtractorConfig {
  const configObject: IConfigFile = {
    projectFolder: root,
    mainEntryPointFilePath: join(directory, `${file}.d.ts`),
    compiler: { overrideTsconfig: { compilerOptions, include: [`${directory}/*.d.ts`] } },
    apiReport: {
      enabled: true,
      reportFileName: file,
      reportFolder: join(directory, 'report'),
      reportTempFolder: directory,
    },
    docModel: { enabled: true, apiJsonFilePath: join(directory, `${file}.api.json`) },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    newlineKind: 'lf',
    messages: { extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.Warning } } },
  };
  const packageJsonFullPath = join(root, 'package.json');
  return ExtractorConfig.prepare({ configObject, configObjectFullPath: undefined, packageJsonFullPath });
}

async function extract(specifier: string, config: ExtractorConfig, compilerState: CompilerState): Promise<Entry> {
  const complaints: Complaint[] = [];
  const messageCallback = (message: ExtractorMessage): void => {
    message.handled = true;
    if (/^(?:ae|tsdoc)-/.test(message.messageId)) complaints.push(complaintOf(message));
  };
  Extractor.invoke(config, { localBuild: true, compilerState, messageCallback });
  const model = JSON.parse(await readFile(config.apiJsonFilePath, 'utf8')) as {
    readonly members: readonly [{ readonly members: readonly Declaration[] }];
  };
  const file = basename(config.mainEntryPointFilePath, '.d.ts');
  return {
    file,
    specifier,
    report: await readFile(join(config.reportFolder, `${file}.api.md`), 'utf8'),
    declarations: await Promise.all(model.members[0].members.map((declared) => withAliasCode(declared, config))),
    complaints,
  };
}

/** What api-extractor keeps of an alias has no comments. */
async function withAliasCode(declaration: Declaration, config: ExtractorConfig): Promise<Declaration> {
  const { kind, name, fileUrlPath } = declaration;
  if (kind !== 'TypeAlias' || fileUrlPath === undefined) return declaration;
  const file = fileUrlPath.replace(/^src/, dirname(config.mainEntryPointFilePath)).replace(/\.ts$/, '.d.ts');
  // It ends where the next statement begins.
  const alias = new RegExp(`^export (type ${name}\\b[^]*?;)\\s*^(?=/[/*]|[a-z])`, 'm');
  return { ...declaration, aliasCode: alias.exec(await readFile(file, 'utf8'))?.[1] ?? '' };
}

function complaintOf({ messageId, sourceFilePath, sourceFileLine, text }: ExtractorMessage): Complaint {
  const place = sourceFilePath === undefined ? '' : `${relative(root, sourceFilePath)}:${sourceFileLine}: `;
  return { kind: messageId, text: `${place}${text}` };
}
