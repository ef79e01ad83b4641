import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const files: ReadonlyMap<string, readonly [file: string, type: string]> = new Map([
  ['/', ['page.html', 'text/html; charset=utf-8']],
  ['/leasestream/page.js', ['page.js', 'text/javascript; charset=utf-8']],
  ['/leasestream/redrive.js', ['redrive.js', 'text/javascript; charset=utf-8']],
  ['/leasestream/trends.js', ['trends.js', 'text/javascript; charset=utf-8']],
  ['/leasestream/page.css', ['page.css', 'text/css; charset=utf-8']],
]);

// Nothing from elsewhere, nothing inline, and nobody may put it in a frame and have its buttons clicked.
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/**
 * The page for people: five files, as they are in the package. They hold nothing of the queues; what the page shows it
 * asks of the broker, with the token.
 *
 * @returns `undefined` for what is none of them
 */
export async function answerPage(request: Request): Promise<Response | undefined> {
  const [file, type] = files.get(new URL(request.url).pathname) ?? [];
  if (file === undefined || type === undefined || request.method !== 'GET') return undefined;
  const path = fileURLToPath(new URL(`../../src/cli/page/${file}`, import.meta.url));
  return new Response(await readFile(path, 'utf8'), { headers: { ...headers, 'content-type': type } });
}
