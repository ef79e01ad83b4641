import { publicToken } from '../broker-options.ts';

/** Whether only programs of this machine can connect to a host. */
export function isLoopback(host: string): boolean {
  return /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/i.test(host);
}

/** @throws TypeError where others than programs of this machine could connect with the token that everybody knows */
export function checkReach(host: string, apiToken: string): void {
  if (isLoopback(host) || apiToken !== publicToken) return;
  throw new TypeError(
    `Cannot listen on '${host}' as others can reach it, and know the default token: choose a token of your own, by 'apiToken' or --api-token`,
  );
}
