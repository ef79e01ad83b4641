// Compiles programs with one version of TypeScript, which reads the files that they share once.
// Arguments: the compiler's module, and a file of JSON, a list of { name, files, types, lib, moduleResolution }.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [module, list] = process.argv.slice(2);
const { default: ts } = await import(pathToFileURL(module).href);
const from = process.cwd();
const sources = new Map();
const results = [];

for (const { name, files, types, lib, moduleResolution } of JSON.parse(readFileSync(list, 'utf8'))) {
  const { options, errors } = ts.convertCompilerOptionsFromJson(
    {
      target: 'es2022',
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      types,
      lib,
      moduleResolution,
      module: moduleResolution === 'bundler' ? 'esnext' : moduleResolution,
    },
    from,
  );
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile;
  host.getSourceFile = (path, how, ...rest) => {
    const key = `${path} ${typeof how === 'object' ? how.impliedNodeFormat : ''}`;
    if (!sources.has(key)) sources.set(key, read(path, how, ...rest));
    return sources.get(key);
  };
  const paths = files.map((file) => join(from, file));
  const program = ts.createProgram(paths, options, host);
  // What is not ours may be at odds with itself, which is the user's business and takes long to find out.
  const all = program.getSourceFiles();
  const ours = all.filter(({ fileName }) => [...paths, '/leasestream/'].some((part) => fileName.includes(part)));
  const found = [
    ...errors,
    ...program.getOptionsDiagnostics(),
    ...ours.flatMap((source) => [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ]),
  ];
  const said = found.map(({ file: at, code, messageText }) => {
    return `${at?.fileName.replace(/.*\/leasestream\//, '') ?? ''} TS${code} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
  results.push({ name, ours: ours.length, said });
}
console.log(JSON.stringify(results));
