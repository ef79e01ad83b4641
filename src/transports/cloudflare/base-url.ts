/**
 * Checks the address of the API and gives it back without a slash at its end. Its value is never in a message, as it
 * may hold a password.
 *
 * @throws TypeError when it is not an `https` URL (or `http` of a loopback host) of origin and path alone
 */
export function readBaseUrl(value: unknown): string {
  const url = typeof value === 'string' && URL.canParse(value.trim()) ? new URL(value.trim()) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    const current = url === undefined ? `not a URL (${typeof value})` : `of protocol ${url.protocol}`;
    throw refusal('must be an https URL', current);
  }
  if (url.username !== '' || url.password !== '') throw refusal('must hold no user name and password', 'not shown');
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(url.href)) {
    throw refusal('must have no query and no fragment', 'not shown');
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw refusal('must be https, except for a loopback host, as the credential would go in clear', url.origin);
  }
  return url.href.replace(/\/+$/, '');
}

function refusal(rule: string, current: string): TypeError {
  return new TypeError(`Cannot open a queue as 'baseUrl' ${rule}: current value is ${current}`);
}

// The URL parser has already turned the many spellings of an IPv4 address into this one.
export function isLoopback(hostname: string): boolean {
  return /^(.+\.)?localhost$|^127(\.\d{1,3}){3}$|^\[::1\]$/.test(hostname);
}
