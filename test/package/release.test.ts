import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);
const version = '0.3.0';

let repository: string;

beforeEach(async () => {
  repository = await mkdtemp(join(tmpdir(), 'leasestream-release-'));
  await mkdir(join(repository, '.ci'));
  await cp(join(root, '.ci/release'), join(repository, '.ci/release'));
  await write('package-lock.json', JSON.stringify({ version }));
  await write('CHANGELOG.md', `# Changelog\n\n## [Unreleased]\n\n## [${version}] - 2026-11-28\n`);
  await setGate('true');
  await git('init', '--quiet');
  await commit();
});

afterEach(() => rm(repository, { recursive: true, force: true }));

const write = (file: string, text: string): Promise<void> => writeFile(join(repository, file), text);
const setGate = (check: string): Promise<void> =>
  write('package.json', JSON.stringify({ name: 'planted', version, scripts: { check } }));

async function git(...parameters: readonly string[]): Promise<string> {
  const author = ['-c', 'user.name=A', '-c', 'user.email=a@example.com', '-c', 'commit.gpgsign=false'];
  const { stdout } = await run('git', [...author, ...parameters], { cwd: repository });
  return stdout.trim();
}

async function commit(): Promise<void> {
  await git('add', '.');
  await git('commit', '--quiet', '--message', 'Plant');
}

async function release(): Promise<{ readonly code: number; readonly output: string }> {
  const env = { ...process.env, GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@example.com' };
  try {
    const { stdout, stderr } = await run(join(repository, '.ci/release'), [], { cwd: repository, env });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

describe('npm run release', () => {
  it('is what the test tries', async () => {
    const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      scripts: { release: string };
    };
    expect(scripts.release).toBe('.ci/release');
  });

  it('tags what may be released, and leaves publishing to a person', async () => {
    const { code, output } = await release();
    expect([code, output]).toEqual([0, expect.stringContaining('nothing was pushed or published')]);
    expect(await git('tag', '--list', '--format=%(refname:short) %(objecttype)')).toBe(`v${version} tag`);
  });

  const obstacles: readonly (readonly [obstacle: string, plant: () => Promise<unknown>, why: string])[] = [
    ['a dirty tree', () => write('left.txt', ''), 'the tree is dirty'],
    ['a gate that fails', () => setGate('false').then(commit), 'the gate fails'],
    ['a gate that changes the tree', () => setGate('touch left.txt').then(commit), 'the gate has left something'],
    [
      'a version without its section',
      () => write('CHANGELOG.md', '## [Unreleased]\n').then(commit),
      'CHANGELOG.md has no',
    ],
    ['a lockfile of another version', () => write('package-lock.json', '{"version":"0.2.0"}').then(commit), '0.2.0'],
    ['a tag that exists', () => git('tag', `v${version}`), 'the tag v0.3.0 exists'],
  ];

  it.each(obstacles)('refuses on %s', async (_, plant, why) => {
    await plant();
    const before = await git('tag', '--list');
    const { code, output } = await release();
    expect([code, output]).toEqual([1, expect.stringContaining(why)]);
    expect(await git('tag', '--list')).toBe(before);
  });
});
