import { refusals } from './refusal.ts';

/** What the broker takes for an authorized client. */
export interface Credentials {
  readonly apiToken: string;
  /** With `apiKey` the older way to authenticate; only when both are given. */
  readonly email: string | undefined;
  readonly apiKey: string | undefined;
}

/** @throws Refusal 401 when a request has no credentials, 403 when it has wrong ones. */
export function authorize(headers: Pick<Headers, 'get'>, credentials: Credentials): void {
  const authorization = headers.get('authorization');
  const email = headers.get('x-auth-email');
  const apiKey = headers.get('x-auth-key');
  if (authorization === null && (email === null || apiKey === null)) throw refusals.authentication(401);
  const byToken = authorization !== null && /^bearer +(.*)$/i.exec(authorization)?.[1] === credentials.apiToken;
  const byKey = email !== null && apiKey !== null && email === credentials.email && apiKey === credentials.apiKey;
  if (!byToken && !byKey) throw refusals.authentication(403);
}
